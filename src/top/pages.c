/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/pages.h"

#include <stdlib.h>

#include "top/heatmap.h"
#include "diagnose/sentence.h"
#include "util/array.h"

#define SENTENCE_LINES	      3
#define SENTENCE_LINES_NARROW 4
#define NARROW_WIDTH	      75

/* The heights of a heat map with its title and the time below: wanted, and the least. */
#define HEATMAP_HEIGHT	      9
#define HEATMAP_HEIGHT_MIN    5

/* On a narrower screen, the letters are the first ones of the names. */
#define LEGEND_WIDTH	      67

/* Neighbours and events below the heat maps, with their titles. */
#define LISTS_HEIGHT	      6
#define LIST_MAX	      64

int page_sentence_lines(int width)
{
	return width < NARROW_WIDTH ? SENTENCE_LINES_NARROW : SENTENCE_LINES;
}

void page_put_sentence(struct grid *grid, int y, const struct view *view)
{
	const struct row *row = ui_selected(view->ui, view->rows);
	int height = page_sentence_lines(grid->width);
	struct buf sentence = {0};
	struct finding finding;

	if (row) {
		finding_make(view->rows, row, &finding);
		finding_sentence(&sentence, &finding);
	} else if (view->ui->page == PAGE_ROW) {
		buf_printf(&sentence, "%s did not run in the last interval.", view->ui->selected);
	}
	if (!buf_failed(&sentence) && sentence.data)
		grid_put_words(grid, y, 0, height, grid->width, STYLE_BOLD, sentence.data);
	buf_free(&sentence);
}

void page_put_legend(struct grid *grid, int y)
{
	bool narrow = grid->width < LEGEND_WIDTH;
	int i, x = 0;

	for (i = 0; i < WAIT_CAUSES; i++) {
		const char letter[] = {cause_kinds[i].letter, '\0'};

		x += grid_put(grid, y, x, grid->width - x, (enum style)(STYLE_WAIT + i), letter);
		x += grid_printf(grid, y, x, grid->width - x, STYLE_DIM, narrow ? "%s  " : " %s  ",
				 cause_kinds[i].word + narrow);
	}
}

/* ---------------------------------------------------------------- the page of a row */

/* Finds the histograms in which the row has counts. Returns how many there are. */
static int find_hists(const struct view *view, int columns, enum signal_hist list[SIGNAL_HISTS])
{
	uint32_t(*cells)[HISTORY_OCTAVES] = calloc((size_t)columns + 1, sizeof(*cells));
	int i, count = 0;

	for (i = 0; cells && i < SIGNAL_HISTS; i++)
		if (history_cells(view->history, view->ui->selected, view->ui->level,
				  (enum signal_hist)i, columns, cells) > 0)
			list[count++] = (enum signal_hist)i;
	free(cells);
	return count;
}

static void put_heatmap(struct grid *grid, int y, int height, const struct view *view,
			enum signal_hist id)
{
	int columns = grid->width - HEATMAP_MARGIN;
	int have = history_columns(view->history);
	uint32_t(*cells)[HISTORY_OCTAVES];

	/* There is nothing to draw for the time before the start. */
	if (columns > have)
		columns = have;
	if (columns < 1)
		return;
	cells = calloc((size_t)columns, sizeof(*cells));
	if (!cells)
		return;
	history_cells(view->history, view->ui->selected, view->ui->level, id, columns, cells);
	heatmap_put(grid, y, 0, height, grid->width, signal_hist_titles[id], cells, columns,
		    history_seconds(view->history, columns));
	free(cells);
}

/* Draws as many heat maps as fit, beginning with the chosen one. */
static void put_heatmaps(struct grid *grid, int y, int height, const struct view *view)
{
	int columns = grid->width - HEATMAP_MARGIN, count, shown, i;
	enum signal_hist list[SIGNAL_HISTS];

	if (columns > HISTORY_COLUMNS)
		columns = HISTORY_COLUMNS;
	count = columns > 0 ? find_hists(view, columns, list) : 0;
	if (!count || height < HEATMAP_HEIGHT_MIN) {
		grid_put(grid, y, 0, grid->width, STYLE_DIM,
			 count ? "(no room for a heat map)" : "(nothing was counted yet)");
		return;
	}
	shown = height / HEATMAP_HEIGHT;
	if (shown < 1)
		shown = 1;
	if (shown > count)
		shown = count;
	for (i = 0; i < shown; i++)
		put_heatmap(grid, y + i * (height / shown), height / shown, view,
			    list[(view->ui->heatmap + (unsigned int)i) % (unsigned int)count]);
}

static void put_neighbours(struct grid *grid, int y, int height, int width, const struct view *view,
			   bool victims)
{
	struct row_cause list[LIST_MAX] = {{0}};
	struct arena arena = {0};
	char seconds[FORMAT_SIZE];
	size_t i, count, max = height > 1 ? (size_t)height - 1 : 0;
	int x;

	if (max > LIST_MAX)
		max = LIST_MAX;
	count = history_neighbours(view->history, &arena, view->ui->selected, view->ui->level,
				   victims, list, max);
	grid_put(grid, y, 0, width, STYLE_BOLD,
		 victims ? "waited for CPU while it ran" : "ran while it waited for CPU");
	if (!count)
		grid_put(grid, y + 1, 0, width, STYLE_DIM, "  nobody");
	for (i = 0; i < count && i < max; i++) {
		format_seconds(seconds, list[i].seconds);
		x = 1 + grid_printf(grid, y + 1 + (int)i, 0, width, STYLE_NORMAL, "%7s", seconds);
		grid_put_cut(grid, y + 1 + (int)i, x, width - x, STYLE_NORMAL, list[i].name);
	}
	arena_free(&arena);
}

static void put_events(struct grid *grid, int y, int x, int height, const struct view *view)
{
	const struct history_event *list[LIST_MAX];
	int width = grid->width - x;
	size_t i, count, max = height > 1 ? (size_t)height - 1 : 0;

	if (max > LIST_MAX)
		max = LIST_MAX;
	count = history_events(view->history, view->ui->selected, view->ui->level, list, max);
	grid_put(grid, y, x, width, STYLE_BOLD, "recent events");
	if (!count)
		grid_put(grid, y + 1, x, width, STYLE_DIM, "  none");
	for (i = 0; i < count; i++) {
		char clock[FORMAT_SIZE];

		/* By the wall clock as it is set now. */
		format_clock(clock, view->now_wall_ns - (view->now_ns - list[i]->at_ns));
		grid_put(grid, y + 1 + (int)i, x, width, STYLE_DIM, clock);
		grid_put(grid, y + 1 + (int)i, x + 9, width - 9, STYLE_NORMAL, list[i]->text);
	}
}

void page_put_row(struct grid *grid, int y, int height, const struct view *view)
{
	int sentence = page_sentence_lines(grid->width), lists = LISTS_HEIGHT, half;

	/* A tall screen shows longer lists, a low one none. */
	if (height > 40)
		lists = height / 4;
	if (height - sentence - lists < HEATMAP_HEIGHT_MIN + 1)
		lists = 0;
	page_put_sentence(grid, y, view);
	put_heatmaps(grid, y + sentence, height - sentence - lists, view);
	if (!lists)
		return;
	y += height - lists;
	half = lists / 2;
	put_neighbours(grid, y, half, grid->width / 2 - 1, view, false);
	put_neighbours(grid, y + half, lists - half, grid->width / 2 - 1, view, true);
	put_events(grid, y, grid->width / 2 + 1, lists, view);
}

/* ---------------------------------------------------------------- help */

static const struct {
	const char *key, *what;
} help_keys[] = {
	{"arrows, j k", "choose a row"},
	{"Enter", "open it: heat maps, events"},
	{"s S < >", "sort by another column"},
	{"r", "the other way round"},
	{"g", "group: pod, workload, ..."},
	{"/", "filter names by a regex"},
	{"Space", "freeze, go on"},
	{"+ -", "longer, shorter interval"},
	{"Tab", "the next heat map"},
	{"m", "mouse on, off"},
	{"? h F1", "this help"},
	{"q, Esc", "back; q quits"},
};

#define HELP_KEYS	 ((int)ARRAY_SIZE(help_keys))
#define HELP_KEY_WIDTH	 13
#define HELP_TWO_COLUMNS 78 /* from this width on */
#define HELP_TITLE_WIDTH 17

/* Returns how many lines it took. */
static int put_help_keys(struct grid *grid, int y, int height)
{
	int sides = grid->width >= HELP_TWO_COLUMNS ? 2 : 1;
	int lines = (HELP_KEYS + sides - 1) / sides, width = grid->width / sides, i;

	for (i = 0; i < HELP_KEYS; i++) {
		int line = i % lines, x = i / lines * width;

		if (line >= height)
			continue;
		grid_put(grid, y + line, x, HELP_KEY_WIDTH - 1, STYLE_BOLD, help_keys[i].key);
		grid_put(grid, y + line, x + HELP_KEY_WIDTH, width - HELP_KEY_WIDTH - 1,
			 STYLE_NORMAL, help_keys[i].what);
	}
	return lines < height ? lines : height;
}

void page_put_help(struct grid *grid, int y, int height)
{
	int i, end = y + height;

	y += put_help_keys(grid, y, height);
	if (y < end)
		page_put_legend(grid, y++);
	if (y < end)
		grid_put(grid, y++, 0, grid->width, STYLE_DIM,
			 "-  not measured    .  measured, and nothing happened");
	for (i = COLUMN_NAME + 1; i < COLUMNS_ALL && y < end; i++, y++) {
		grid_put(grid, y, 0, HELP_TITLE_WIDTH, STYLE_BOLD, column_list[i].title);
		grid_put(grid, y, HELP_TITLE_WIDTH, grid->width - HELP_TITLE_WIDTH, STYLE_NORMAL,
			 column_list[i].help);
	}
}
