/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The whole screen of the live view, on a grid. */
#ifndef BRAMBLE_TOP_DRAW_H
#define BRAMBLE_TOP_DRAW_H

#include "top/grid.h"
#include "diagnose/history.h"
#include "top/ui.h"

struct view {
	const struct ui *ui;
	const struct rows *rows;	 /* NULL: the first interval has not ended */
	const struct reading_node *node; /* NULL: not known */
	const struct history *history;
	const char *source;   /* whose counts these are */
	bool busy;	      /* the source is there, but does not answer in time */
	bool gone;	      /* the source is gone */
	const char *trouble;  /* why there is no newer reading; "" if all is well */
	double stale_seconds; /* in trouble: the age of what is shown */
	uint64_t now_ns;      /* CLOCK_BOOTTIME, as the times of events are */
	uint64_t now_wall_ns; /* the same moment by the wall clock */
};

/* How many rows of the table fit on a screen of that size. */
size_t draw_table_rows(int height, int width);

/* Which row of the table a line of the screen shows, from 0; -1: none. */
int draw_row_of_line(int height, int width, int line);

/* Draws the screen on a blank grid. */
void draw(struct grid *grid, const struct view *view);

#endif
