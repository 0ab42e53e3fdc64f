/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/table.h"

#include <stdio.h>

#include "top/text.h"

void table_put_titles(struct grid *grid, int y, const struct column_layout *layout,
		      enum column_id sorted)
{
	int i;

	grid_paint(grid, y, STYLE_TITLES);
	for (i = 0; i < layout->count; i++) {
		const struct column_place *place = &layout->places[i];
		const struct column *column = &column_list[place->id];
		const char *title = column->title;
		int indent;

		/* "WHERE TIME GOES" needs a wide bar. */
		if (place->id == COLUMN_BAR && place->width < text_width(title))
			title = "TIME GOES";
		indent = column->left ? 0 : place->width - text_width(title);
		if (indent < 0)
			indent = 0;
		grid_put(grid, y, place->at + indent, place->width - indent,
			 place->id == sorted ? STYLE_SELECTED : STYLE_TITLES, title);
	}
}

/* Each cell has its cause's letter and colour. Either is enough to read it. */
static void put_bar(struct grid *grid, int y, const struct column_place *place,
		    const struct rows *rows, const struct row *row)
{
	int share[WAIT_CAUSES], i, n, x = place->at;
	struct waits waits;

	waits_find(row, &waits);
	if (!waits_bar(&waits, rows->seconds, place->width, share)) {
		grid_put(grid, y, x, place->width, STYLE_DIM, ".");
		return;
	}
	for (i = 0; i < WAIT_CAUSES; i++) {
		const char letter[] = {cause_kinds[i].letter, '\0'};

		for (n = 0; n < share[i]; n++)
			grid_put(grid, y, x++, 1, (enum style)(STYLE_WAIT + i), letter);
	}
}

static void put_cause(struct grid *grid, int y, const struct column_place *place,
		      const struct rows *rows, const struct row *row, enum style style)
{
	int used;

	if (!row->cause_count || row->hist[SIGNAL_CPU_WAIT].sum_seconds <= 0) {
		grid_put(grid, y, place->at, place->width, style,
			 column_measured(rows, COLUMN_CAUSE) ? "." : "-");
		return;
	}
	used = grid_printf(grid, y, place->at, place->width, style, "%.0f%% ",
			   100 * row->causes[0].share);
	grid_put_cut(grid, y, place->at + used, place->width - used, style, row->causes[0].name);
}

void table_put_row(struct grid *grid, int y, const struct column_layout *layout,
		   const struct rows *rows, const struct row *row, bool selected)
{
	enum style style = selected ? STYLE_SELECTED : STYLE_NORMAL;
	char text[FORMAT_SIZE];
	int i;

	grid_paint(grid, y, style);
	for (i = 0; i < layout->count; i++) {
		const struct column_place *place = &layout->places[i];
		int indent;

		switch (place->id) {
		case COLUMN_NAME:
			grid_put_cut(grid, y, place->at, place->width, style, row->name);
			break;
		case COLUMN_BAR:
			put_bar(grid, y, place, rows, row);
			break;
		case COLUMN_CAUSE:
			put_cause(grid, y, place, rows, row, style);
			break;
		default:
			column_format(rows, row, place->id, text);
			indent = place->width - text_width(text);
			if (indent < 0)
				indent = 0;
			grid_put(grid, y, place->at + indent, place->width - indent, style, text);
		}
	}
}
