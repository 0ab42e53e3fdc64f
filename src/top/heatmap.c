/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/heatmap.h"

#include <math.h>

#include "diagnose/format.h"

/* With fewer columns there is no room for both ends of the time axis. */
#define TIME_AXIS_MIN 14

#define LOWEST_K      (-20) /* octave 0 ends at 2^-20 s */

/* By level: two levels share a shade; in ASCII, denser characters mean more. */
static const char *const shades[HEAT_LEVELS + 1] = {
	" ", "\u2591", "\u2591", "\u2592", "\u2592", "\u2593", "\u2593", "\u2588", "\u2588",
};
static const char *const ascii_shades[HEAT_LEVELS + 1] = {
	" ", ".", ":", "-", "=", "+", "*", "#", "@",
};

void heatmap_fit(uint32_t (*cells)[HISTORY_OCTAVES], int columns, int height,
		 struct heatmap_scale *scale)
{
	int lowest = HISTORY_OCTAVES, highest = -1, column, octave, line;

	*scale = (struct heatmap_scale){0};
	for (column = 0; column < columns; column++) {
		for (octave = 0; octave < HISTORY_OCTAVES; octave++) {
			if (!cells[column][octave])
				continue;
			lowest = octave < lowest ? octave : lowest;
			highest = octave > highest ? octave : highest;
		}
	}
	if (highest < 0 || height < 1)
		return;
	scale->top = highest;
	scale->per_line = (highest - lowest + height) / height;
	scale->lines = (highest - lowest + scale->per_line) / scale->per_line;
	for (column = 0; column < columns; column++) {
		for (line = 0; line < scale->lines; line++) {
			uint32_t count = heatmap_count(cells, column, line, scale);

			scale->most = count > scale->most ? count : scale->most;
		}
	}
}

uint32_t heatmap_count(uint32_t (*cells)[HISTORY_OCTAVES], int column, int line,
		       const struct heatmap_scale *scale)
{
	int i, octave = scale->top - line * scale->per_line;
	uint32_t count = 0;

	for (i = 0; i < scale->per_line && octave - i >= 0; i++)
		count += cells[column][octave - i];
	return count;
}

int heatmap_level(uint32_t count, uint32_t most)
{
	if (!count)
		return 0;
	if (most <= 1 || count >= most)
		return HEAT_LEVELS;
	return 1 + (int)((HEAT_LEVELS - 1) * log2(count) / log2(most));
}

double heatmap_bound(int line, const struct heatmap_scale *scale)
{
	int octave = scale->top - line * scale->per_line;

	return octave >= HISTORY_OCTAVES - 1 ? INFINITY : exp2(octave + LOWEST_K);
}

static void put_line(struct grid *grid, int y, int x, uint32_t (*cells)[HISTORY_OCTAVES],
		     int columns, int line, const struct heatmap_scale *scale)
{
	char bound[FORMAT_SIZE];
	int column;

	format_seconds(bound, heatmap_bound(line, scale));
	grid_printf(grid, y, x, HEATMAP_MARGIN, STYLE_DIM, "%6s %s", bound,
		    grid->ascii ? "|" : "\u2502");
	for (column = 0; column < columns; column++) {
		uint32_t count = heatmap_count(cells, column, line, scale);
		int level = heatmap_level(count, scale->most);

		if (level)
			grid_put(grid, y, x + HEATMAP_MARGIN + column, 1,
				 (enum style)(STYLE_HEAT + level - 1),
				 (grid->ascii ? ascii_shades : shades)[level]);
	}
}

void heatmap_put(struct grid *grid, int y, int x, int height, int width, const char *title,
		 uint32_t (*cells)[HISTORY_OCTAVES], int columns, double seconds)
{
	struct heatmap_scale scale;
	char text[FORMAT_SIZE];
	int line, used;

	heatmap_fit(cells, columns, height - 2, &scale);
	used = grid_put(grid, y, x, width, STYLE_BOLD, title);
	if (!scale.lines) {
		grid_put(grid, y + 1, x, width, STYLE_DIM, "  nothing yet");
		return;
	}
	format_count(text, scale.most);
	grid_printf(grid, y, x + used, width - used, STYLE_DIM, "  (darkest: %s in one place)",
		    text);
	for (line = 0; line < scale.lines; line++)
		put_line(grid, y + 1 + line, x, cells, columns, line, &scale);
	grid_put(grid, y + 1 + scale.lines, x + HEATMAP_MARGIN + columns - 3, 3, STYLE_DIM, "now");
	if (columns < TIME_AXIS_MIN)
		return;
	format_interval(text, seconds);
	grid_printf(grid, y + 1 + scale.lines, x + HEATMAP_MARGIN, width - HEATMAP_MARGIN,
		    STYLE_DIM, "-%s", text);
}
