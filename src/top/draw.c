/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/draw.h"

#include <math.h>
#include <string.h>

#include "top/pages.h"
#include "top/table.h"
#include "top/text.h"
#include "util/buf.h"

/* A screen with fewer lines has no legend. */
#define LEGEND_HEIGHT_MIN 16

static int lines_below_table(int height, int width)
{
	return page_sentence_lines(width) + (height >= LEGEND_HEIGHT_MIN) + 1;
}

size_t draw_table_rows(int height, int width)
{
	int rows = height - PAGE_HEADER_LINES - 1 - lines_below_table(height, width);

	return rows > 1 ? (size_t)rows : 1;
}

int draw_row_of_line(int height, int width, int line)
{
	int row = line - PAGE_HEADER_LINES - 1;

	return row >= 0 && row < (int)draw_table_rows(height, width) ? row : -1;
}

/* "12:00:01  every 1 s, by pod, sorted by wait" */
static void put_first_line(struct grid *grid, const struct view *view)
{
	const struct ui *ui = view->ui;
	char clock[FORMAT_SIZE], interval[FORMAT_SIZE];
	int x;

	format_clock(clock, view->now_wall_ns);
	format_interval(interval, (double)ui->interval_ns / 1e9);
	x = grid_put(grid, 0, 0, grid->width, STYLE_BOLD, "bramble top");
	x += grid_printf(grid, 0, x, grid->width - x, STYLE_NORMAL, "  %s  every %s, by %s", clock,
			 interval, row_level_names[ui->level]);
	/* In words, since the column may not be on the screen. */
	if (ui->sort != COLUMN_WAIT || ui->reverse)
		x += grid_printf(grid, 0, x, grid->width - x, STYLE_NORMAL, ", sorted by %s%s",
				 column_list[ui->sort].word, ui->reverse ? ", reversed" : "");
	if (ui->frozen)
		x += grid_put(grid, 0, x, grid->width - x, STYLE_WARNING, "  FROZEN");
	if (ui->filter[0])
		x += grid_printf(grid, 0, x, grid->width - x, STYLE_BOLD, "  filter: %s",
				 ui->filter);
	if (view->rows && ui->page == PAGE_TABLE)
		x += grid_printf(grid, 0, x, grid->width - x, STYLE_NORMAL, "  row %zu of %zu",
				 view->rows->count ? ui->place + 1 : 0, view->rows->count);
	grid_printf(grid, 0, x, grid->width - x, STYLE_DIM, "  %s", view->source);
}

static int put_load(struct grid *grid, int x, const struct reading_node *node)
{
	if (!node || isnan(node->load[0]))
		return grid_put(grid, 1, x, grid->width - x, STYLE_DIM, "load -");
	x = grid_printf(grid, 1, x, grid->width - x, STYLE_NORMAL, "load %.1f %.1f %.1f",
			node->load[0], node->load[1], node->load[2]);
	if (!isnan(node->cpus))
		x += grid_printf(grid, 1, x, grid->width - x, STYLE_NORMAL, " of %.0f", node->cpus);
	return x;
}

static int put_memory(struct grid *grid, int x, const struct reading_node *node)
{
	if (!node || !(node->memory_total > 0) || isnan(node->memory_available))
		return grid_put(grid, 1, x, grid->width - x, STYLE_DIM, "  mem -");
	return grid_printf(grid, 1, x, grid->width - x, STYLE_NORMAL, "  mem %.0f%%",
			   100 * (1 - node->memory_available / node->memory_total));
}

static int put_heat(struct grid *grid, int x, const struct reading_node *node)
{
	const char *degree = grid->ascii ? "C" : "\u00b0C";
	int start = x;
	size_t i;

	if (node && !isnan(node->celsius))
		x += grid_printf(grid, 1, x, grid->width - x, STYLE_NORMAL, "  %.0f%s",
				 node->celsius, degree);
	else
		x += grid_printf(grid, 1, x, grid->width - x, STYLE_DIM, "  -%s", degree);
	if (!node || !node->throttle_known)
		return x - start +
		       grid_put(grid, 1, x, grid->width - x, STYLE_DIM, "  throttled -");
	if (!node->throttled_count)
		return x - start +
		       grid_put(grid, 1, x, grid->width - x, STYLE_NORMAL, "  not throttled");
	x += grid_put(grid, 1, x, grid->width - x, STYLE_WARNING, "  THROTTLED:");
	for (i = 0; i < node->throttled_count; i++)
		x += grid_printf(grid, 1, x, grid->width - x, STYLE_WARNING, " %s",
				 node->throttled[i]);
	return x - start;
}

/* Probes that do not run: what they would measure is not known. */
static void put_missing(struct grid *grid, int x, const struct rows *rows)
{
	bool first = true;
	int i;

	for (i = 0; i < SIGNAL_PROBES; i++) {
		if (!rows->probe_missing[i])
			continue;
		x += grid_printf(grid, 1, x, grid->width - x, STYLE_WARNING, "%s%s",
				 first ? "  missing: " : " ", signal_probe_names[i]);
		first = false;
	}
}

static const char *say_trouble(const struct view *view)
{
	if (view->busy)
		return "is busy, waiting for it";
	return view->gone ? "is gone, trying again" : "cannot be read, trying again";
}

/* What the node is short of; or, in trouble, what the trouble is. */
static void put_second_line(struct grid *grid, const struct view *view)
{
	char age[FORMAT_SIZE];
	int x;

	if (view->trouble[0]) {
		grid_paint(grid, 1, STYLE_WARNING);
		format_interval(age, view->stale_seconds);
		x = grid_printf(grid, 1, 0, grid->width, STYLE_WARNING, "%s %s; this is %s old ",
				view->source, say_trouble(view), age);
		grid_printf(grid, 1, x, grid->width - x, STYLE_WARNING, "(%s)", view->trouble);
		return;
	}
	x = put_load(grid, 0, view->node);
	x += put_memory(grid, x, view->node);
	x += put_heat(grid, x, view->node);
	if (view->rows)
		put_missing(grid, x, view->rows);
}

static void put_keys(struct grid *grid, const struct view *view)
{
	static const char *const keys[] = {
		[PAGE_TABLE] = "q quit  Enter open  / filter  s sort  g group  Space freeze  "
			       "+- interval  ? help",
		[PAGE_ROW] = "q back  Tab next heat map  Space freeze  +- interval  ? help",
		[PAGE_HELP] = "q back",
	};
	const struct ui *ui = view->ui;
	int y = grid->height - 1, x;

	if (!ui->editing) {
		grid_put(grid, y, 0, grid->width, STYLE_DIM, keys[ui->page]);
		return;
	}
	x = grid_put(grid, y, 0, grid->width, STYLE_BOLD, "filter (regular expression): ");
	x += grid_printf(grid, y, x, grid->width - x, STYLE_NORMAL, "%s_", ui->typed);
	if (ui->typed_wrong)
		grid_put(grid, y, x, grid->width - x, STYLE_WARNING,
			 "  this is no regular expression");
}

static void put_table(struct grid *grid, const struct view *view)
{
	size_t shown = draw_table_rows(grid->height, grid->width), i;
	const struct rows *rows = view->rows;
	const struct ui *ui = view->ui;
	struct column_layout layout;
	int y = PAGE_HEADER_LINES;

	columns_fit(rows, grid->width, &layout);
	table_put_titles(grid, y++, &layout, ui->sort);
	for (i = 0; i < shown && ui->first + i < rows->count; i++)
		table_put_row(grid, y + (int)i, &layout, rows, &rows->rows[ui->first + i],
			      ui->first + i == ui->place);
	if (!rows->count)
		grid_put(grid, y, 0, grid->width, STYLE_DIM,
			 ui->filter[0] ? "(nothing that ran matches the filter)" : "(nothing ran)");
	y += (int)shown;
	page_put_sentence(grid, y, view);
	y += page_sentence_lines(grid->width);
	if (y < grid->height - 1)
		page_put_legend(grid, y);
}

void draw(struct grid *grid, const struct view *view)
{
	int height = grid->height - PAGE_HEADER_LINES - 1;

	put_first_line(grid, view);
	put_second_line(grid, view);
	if (view->ui->page == PAGE_HELP)
		page_put_help(grid, PAGE_HEADER_LINES, height);
	else if (!view->rows)
		grid_put(grid, PAGE_HEADER_LINES + 1, 0, grid->width, STYLE_DIM,
			 "the first interval is not over yet");
	else if (view->ui->page == PAGE_ROW)
		page_put_row(grid, PAGE_HEADER_LINES, height, view);
	else
		put_table(grid, view);
	put_keys(grid, view);
}
