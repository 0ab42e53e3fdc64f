/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A heat map: time from left to right, latency from bottom to top, the count as colour. */
#ifndef BRAMBLE_TOP_HEATMAP_H
#define BRAMBLE_TOP_HEATMAP_H

#include <stdint.h>

#include "top/grid.h"
#include "diagnose/history.h"

/* Which octaves the lines show: the upper one of line 0, and how many each line has. */
struct heatmap_scale {
	int top;
	int per_line;  /* 1 or more */
	int lines;     /* that are used */
	uint32_t most; /* the largest count of a place */
};

/* Chooses the scale for what is there; lines is 0 if that is nothing. */
void heatmap_fit(uint32_t (*cells)[HISTORY_OCTAVES], int columns, int height,
		 struct heatmap_scale *scale);

/* The count of a place, line 0 being the top one. */
uint32_t heatmap_count(uint32_t (*cells)[HISTORY_OCTAVES], int column, int line,
		       const struct heatmap_scale *scale);

/* 0 for nothing, 1 to HEAT_LEVELS by the logarithm of a count, up to the largest one. */
int heatmap_level(uint32_t count, uint32_t most);

/* The upper bound of a line, in seconds; infinity above the last bucket's. */
double heatmap_bound(int line, const struct heatmap_scale *scale);

/* The space that is left of the columns, for the bounds. */
#define HEATMAP_MARGIN 8

/*
 * Draws it with a line for the title above and one for the time below, in height
 * lines and width columns. seconds: how long the columns are together.
 */
void heatmap_put(struct grid *grid, int y, int x, int height, int width, const char *title,
		 uint32_t (*cells)[HISTORY_OCTAVES], int columns, double seconds);

#endif
