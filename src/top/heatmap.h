/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A heat map: time from left to right, latency from bottom to top, the count as colour. */
#ifndef BRAMBLE_TOP_HEATMAP_H
#define BRAMBLE_TOP_HEATMAP_H

#include <stdint.h>

#include "top/grid.h"
#include "diagnose/history.h"

/* Which octaves the lines show: top is the highest one of line 0. */
struct heatmap_scale {
	int top;
	int per_line;  /* octaves in each line, 1 or more */
	int lines;     /* that are used */
	uint32_t most; /* the largest count of a place */
};

/* Chooses the scale for these counts. lines is 0 if there are none. */
void heatmap_fit(uint32_t (*cells)[HISTORY_OCTAVES], int columns, int height,
		 struct heatmap_scale *scale);

/* The count of a place, line 0 being the top one. */
uint32_t heatmap_count(uint32_t (*cells)[HISTORY_OCTAVES], int column, int line,
		       const struct heatmap_scale *scale);

/* 0 for nothing, 1 to HEAT_LEVELS by the logarithm of a count, up to the largest one. */
int heatmap_level(uint32_t count, uint32_t most);

/* The upper bound of a line, in seconds; infinity above the last bucket's. */
double heatmap_bound(int line, const struct heatmap_scale *scale);

/* The space on the left, for the bounds. */
#define HEATMAP_MARGIN 8

/*
 * Draws the heat map in height lines and width columns, with the title above and the time below.
 * seconds: the time of all columns together.
 */
void heatmap_put(struct grid *grid, int y, int x, int height, int width, const char *title,
		 uint32_t (*cells)[HISTORY_OCTAVES], int columns, double seconds);

#endif
