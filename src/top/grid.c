/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "top/text.h"

#define LINE_SIZE 2048

int grid_resize(struct grid *grid, int height, int width)
{
	struct grid_cell *cells;
	int i;

	if (height < 1)
		height = 1;
	if (width < 1)
		width = 1;
	cells = reallocarray(grid->cells, (size_t)height * (size_t)width, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	for (i = 0; i < height * width; i++) {
		memcpy(cells[i].text, " ", 2);
		cells[i].style = STYLE_NORMAL;
	}
	grid->cells = cells;
	grid->height = height;
	grid->width = width;
	return 0;
}

void grid_free(struct grid *grid)
{
	free(grid->cells);
	grid->cells = NULL;
}

struct grid_cell *grid_cell(const struct grid *grid, int y, int x)
{
	return &grid->cells[y * grid->width + x];
}

static void set(struct grid_cell *cell, const char *text, size_t len, enum style style)
{
	memcpy(cell->text, text, len);
	cell->text[len] = '\0';
	cell->style = (unsigned char)style;
}

static void combine(struct grid_cell *cell, const char *text, size_t len)
{
	size_t before = strlen(cell->text);

	if (before + len < GRID_CHAR_SIZE)
		set(cell, cell->text, before, cell->style);
	if (before + len < GRID_CHAR_SIZE) {
		memcpy(cell->text + before, text, len);
		cell->text[before + len] = '\0';
	}
}

int grid_put(struct grid *grid, int y, int x, int width, enum style style, const char *text)
{
	int from = x, end = x + width;

	if (y < 0 || y >= grid->height || x < 0)
		return 0;
	if (end > grid->width)
		end = grid->width;
	while (*text) {
		struct text_char c = text_next(text);
		bool shown = c.shown && (c.len == 1 || !grid->ascii);

		if (x + c.width > end)
			break;
		if (c.width == 0) {
			if (x > from && shown)
				combine(grid_cell(grid, y, x - 1), text, c.len);
		} else if (shown) {
			set(grid_cell(grid, y, x), text, c.len, style);
			if (c.width == 2)
				set(grid_cell(grid, y, x + 1), "", 0, style);
		} else {
			set(grid_cell(grid, y, x), "?", 1, style);
			if (c.width == 2)
				set(grid_cell(grid, y, x + 1), "?", 1, style);
		}
		x += c.width;
		text += c.len;
	}
	return x - from;
}

int grid_printf(struct grid *grid, int y, int x, int width, enum style style, const char *format,
		...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return grid_put(grid, y, x, width, style, line);
}

void grid_put_cut(struct grid *grid, int y, int x, int width, enum style style, const char *text)
{
	char line[LINE_SIZE];

	text_cut(line, sizeof(line), text, width);
	grid_put(grid, y, x, width, style, line);
}

/* How many bytes of words fit into a line. A word longer than a line is broken. */
static size_t line_of_words(const char *text, int width)
{
	size_t all = text_bytes(text, width), len = all;

	if (!text[all] || text[all] == ' ')
		return all;
	while (len && text[len - 1] != ' ')
		len--;
	if (!len)
		len = all ? all : strlen(text);
	return len;
}

int grid_put_words(struct grid *grid, int y, int x, int height, int width, enum style style,
		   const char *text)
{
	char line[LINE_SIZE];
	int lines = 0;
	size_t len;

	while (*text == ' ')
		text++;
	while (*text && lines < height) {
		/* The last line shows how the text ends if there is no room for all of it. */
		if (lines + 1 == height) {
			grid_put_cut(grid, y + lines, x, width, style, text);
			return height;
		}
		len = line_of_words(text, width);
		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		grid_put(grid, y + lines++, x, width, style, line);
		for (text += len; *text == ' '; text++)
			;
	}
	return lines;
}

void grid_paint(struct grid *grid, int y, enum style style)
{
	int x;

	if (y < 0 || y >= grid->height)
		return;
	for (x = 0; x < grid->width; x++)
		grid_cell(grid, y, x)->style = (unsigned char)style;
}

void grid_print(const struct grid *grid, FILE *out)
{
	int x, y, end;

	for (y = 0; y < grid->height; y++) {
		for (end = grid->width; end > 0 && !strcmp(grid_cell(grid, y, end - 1)->text, " ");)
			end--;
		for (x = 0; x < end; x++)
			fputs(grid_cell(grid, y, x)->text, out);
		fputc('\n', out);
	}
}
