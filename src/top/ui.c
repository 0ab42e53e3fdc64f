/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/ui.h"

#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/clock.h"
#include "util/pattern.h"
#include "util/utf8.h"

static const uint64_t intervals_ns[] = {
	NS_PER_S / 10, NS_PER_S / 5,  NS_PER_S / 2,  NS_PER_S,	    2 * NS_PER_S,
	5 * NS_PER_S,  10 * NS_PER_S, 30 * NS_PER_S, 60 * NS_PER_S,
};

#define INTERVALS ARRAY_SIZE(intervals_ns)

void ui_init(struct ui *ui, enum column_id sort, enum row_level level, uint64_t interval_ns,
	     const char *filter)
{
	*ui = (struct ui){.sort = sort, .level = level, .interval_ns = interval_ns};
	snprintf(ui->filter, sizeof(ui->filter), "%s", filter ? filter : "");
}

const struct row *ui_selected(const struct ui *ui, const struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows->count; i++)
		if (strcmp(rows->rows[i].name, ui->selected) == 0)
			return &rows->rows[i];
	return NULL;
}

static void select_place(struct ui *ui, const struct rows *rows, size_t place, size_t page_rows)
{
	if (!rows->count) {
		ui->place = ui->first = 0;
		return;
	}
	ui->place = place < rows->count ? place : rows->count - 1;
	snprintf(ui->selected, sizeof(ui->selected), "%s", rows->rows[ui->place].name);
	if (ui->place < ui->first)
		ui->first = ui->place;
	if (page_rows && ui->place >= ui->first + page_rows)
		ui->first = ui->place - page_rows + 1;
	/* No empty lines at the end as long as there are rows above the screen. */
	if (rows->count <= page_rows)
		ui->first = 0;
	else if (ui->first > rows->count - page_rows)
		ui->first = rows->count - page_rows;
}

void ui_follow(struct ui *ui, const struct rows *rows, size_t page_rows)
{
	const struct row *row = ui->selected[0] ? ui_selected(ui, rows) : NULL;

	/* The page stays with its row, even while that is gone. */
	if (!row && ui->page != PAGE_TABLE && ui->selected[0])
		return;
	select_place(ui, rows, row ? (size_t)(row - rows->rows) : ui->place, page_rows);
}

static unsigned int move(struct ui *ui, int key, const struct rows *rows, size_t page_rows)
{
	size_t place = ui->place;

	switch (key) {
	case UI_KEY_UP:
	case 'k':
		place -= place > 0;
		break;
	case UI_KEY_DOWN:
	case 'j':
		place++;
		break;
	case UI_KEY_PAGE_UP:
		place -= place < page_rows ? place : page_rows;
		break;
	case UI_KEY_PAGE_DOWN:
		place += page_rows;
		break;
	case UI_KEY_HOME:
		place = 0;
		break;
	case UI_KEY_END:
		place = rows->count;
		break;
	default:
		return UI_NOTHING;
	}
	select_place(ui, rows, place, page_rows);
	ui->heatmap = 0;
	return UI_DRAW;
}

/* Sorts by the next column that rows can be sorted by, in the order of the screen. */
static void next_sort(struct ui *ui, int step)
{
	int id = ui->sort;

	do
		id = (id + step + COLUMNS_ALL) % COLUMNS_ALL;
	while (!column_list[id].word);
	ui->sort = (enum column_id)id;
	ui->reverse = false;
}

static void change_interval(struct ui *ui, bool longer)
{
	size_t i;

	if (longer) {
		for (i = 0; i < INTERVALS - 1 && intervals_ns[i] <= ui->interval_ns;)
			i++;
		if (intervals_ns[i] > ui->interval_ns)
			ui->interval_ns = intervals_ns[i];
	} else {
		for (i = INTERVALS - 1; i > 0 && intervals_ns[i] >= ui->interval_ns;)
			i--;
		if (intervals_ns[i] < ui->interval_ns)
			ui->interval_ns = intervals_ns[i];
	}
}

/* Uses the typed filter, if it is a regular expression. */
static unsigned int end_editing(struct ui *ui)
{
	char reason[256];
	regex_t regex;

	if (ui->typed[0]) {
		ui->typed_wrong = pattern_compile(&regex, ui->typed, reason, sizeof(reason)) != 0;
		if (ui->typed_wrong)
			return UI_DRAW;
		regfree(&regex);
	}
	memcpy(ui->filter, ui->typed, sizeof(ui->filter));
	ui->editing = false;
	return UI_DRAW | UI_ARRANGE;
}

static unsigned int edit(struct ui *ui, int key)
{
	size_t len = strlen(ui->typed);

	ui->typed_wrong = false;
	if (key == UI_KEY_ENTER)
		return end_editing(ui);
	if (key == UI_KEY_ESCAPE) {
		ui->editing = false;
	} else if (key == UI_KEY_BACKSPACE) {
		if (len)
			ui->typed[utf8_cut(ui->typed, len - 1)] = '\0';
	} else if (key == 0x15) { /* Ctrl-U */
		ui->typed[0] = '\0';
	} else if (key >= ' ' && key < 0x100 && key != 0x7f && len + 1 < sizeof(ui->typed)) {
		ui->typed[len] = (char)key;
		ui->typed[len + 1] = '\0';
	}
	return UI_DRAW;
}

static unsigned int leave(struct ui *ui)
{
	if (ui->page == PAGE_HELP)
		ui->page = ui->page_before_help;
	else if (ui->page == PAGE_ROW)
		ui->page = PAGE_TABLE;
	return UI_DRAW;
}

static unsigned int open_help(struct ui *ui)
{
	if (ui->page != PAGE_HELP)
		ui->page_before_help = ui->page;
	ui->page = PAGE_HELP;
	return UI_DRAW;
}

static unsigned int open_row(struct ui *ui, const struct rows *rows)
{
	if (ui->page != PAGE_TABLE || !ui_selected(ui, rows))
		return UI_NOTHING;
	ui->page = PAGE_ROW;
	ui->heatmap = 0;
	return UI_DRAW;
}

static unsigned int next_level(struct ui *ui)
{
	/* The page of a row belongs to a level. */
	if (ui->page == PAGE_ROW)
		return UI_NOTHING;
	ui->level = (enum row_level)((ui->level + 1) % ROW_LEVELS);
	ui->selected[0] = '\0';
	ui->place = ui->first = 0;
	return UI_DRAW | UI_ARRANGE;
}

/* Keys that change how rows are chosen and ordered, or when. */
static unsigned int change(struct ui *ui, int key)
{
	switch (key) {
	case 's':
	case '>':
	case UI_KEY_RIGHT:
		next_sort(ui, 1);
		return UI_DRAW | UI_ARRANGE;
	case 'S':
	case '<':
	case UI_KEY_LEFT:
		next_sort(ui, -1);
		return UI_DRAW | UI_ARRANGE;
	case 'r':
		ui->reverse = !ui->reverse;
		return UI_DRAW | UI_ARRANGE;
	case 'g':
		return next_level(ui);
	case '/':
		ui->editing = true;
		ui->typed_wrong = false;
		memcpy(ui->typed, ui->filter, sizeof(ui->typed));
		return UI_DRAW;
	case ' ':
		ui->frozen = !ui->frozen;
		return UI_DRAW | UI_INTERVAL;
	case '+':
	case '-':
		change_interval(ui, key == '+');
		return UI_DRAW | UI_INTERVAL;
	case 'm':
		ui->mouse = !ui->mouse;
		return UI_DRAW;
	case UI_KEY_TAB:
		ui->heatmap++;
		return UI_DRAW;
	default:
		return UI_NOTHING;
	}
}

unsigned int ui_key(struct ui *ui, int key, const struct rows *rows, size_t page_rows)
{
	unsigned int changed;

	if (ui->editing)
		return edit(ui, key);
	switch (key) {
	case 'q':
		if (ui->page == PAGE_TABLE)
			ui->quit = true;
		return leave(ui);
	case UI_KEY_ESCAPE:
	case UI_KEY_BACKSPACE:
		return leave(ui);
	case '?':
	case 'h':
	case UI_KEY_HELP:
		return ui->page == PAGE_HELP ? leave(ui) : open_help(ui);
	case UI_KEY_ENTER:
		return open_row(ui, rows);
	default:
		break;
	}
	changed = change(ui, key);
	return changed || ui->page == PAGE_HELP ? changed : move(ui, key, rows, page_rows);
}

unsigned int ui_click(struct ui *ui, size_t nth, bool twice, const struct rows *rows)
{
	if (ui->page != PAGE_TABLE || ui->editing || ui->first + nth >= rows->count)
		return UI_NOTHING;
	ui->place = ui->first + nth;
	snprintf(ui->selected, sizeof(ui->selected), "%s", rows->rows[ui->place].name);
	return twice ? open_row(ui, rows) : UI_DRAW;
}
