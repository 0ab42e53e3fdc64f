/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A screen in memory: cells with a character and a style. All that top shows is written here first,
 * so that it is the same in a terminal, a file and a test.
 */
#ifndef BRAMBLE_TOP_GRID_H
#define BRAMBLE_TOP_GRID_H

#include <stdbool.h>
#include <stdio.h>

#include "diagnose/waits.h"

#define HEAT_LEVELS 8 /* from 1 on; 0 is nothing */

enum style {
	STYLE_NORMAL,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_TITLES,	/* of columns */
	STYLE_SELECTED, /* the row */
	STYLE_WARNING,
	STYLE_WAIT,			       /* + enum wait_cause: in the bar */
	STYLE_HEAT = STYLE_WAIT + WAIT_CAUSES, /* + level - 1 */
	STYLES = STYLE_HEAT + HEAT_LEVELS,
};

/* A character and the marks that combine with it. */
#define GRID_CHAR_SIZE 20

struct grid_cell {
	char text[GRID_CHAR_SIZE]; /* "": the right half of a wide character */
	unsigned char style;
};

struct grid {
	int height, width;
	bool ascii; /* other characters become a ? */
	struct grid_cell *cells;
};

/* Makes a blank grid of that size. Returns 0 or -ENOMEM. The caller gives it to grid_free(). */
int grid_resize(struct grid *grid, int height, int width);
void grid_free(struct grid *grid);

struct grid_cell *grid_cell(const struct grid *grid, int y, int x);

/*
 * Writes text from there on, in at most width columns, and nothing outside the screen. Returns how
 * many columns it wrote.
 */
int grid_put(struct grid *grid, int y, int x, int width, enum style style, const char *text);

__attribute__((format(printf, 6, 7))) int grid_printf(struct grid *grid, int y, int x, int width,
						      enum style style, const char *format, ...);

/* The same. A text that is too long is cut in its middle. */
void grid_put_cut(struct grid *grid, int y, int x, int width, enum style style, const char *text);

/* Writes words over several lines. Returns how many lines it took, at most height. */
int grid_put_words(struct grid *grid, int y, int x, int height, int width, enum style style,
		   const char *text);

/* Changes the style of a line. */
void grid_paint(struct grid *grid, int y, enum style style);

/* Prints the lines, without blanks at the end. */
void grid_print(const struct grid *grid, FILE *out);

#endif
