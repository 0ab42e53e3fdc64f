/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UTF-8 as a terminal shows it: characters, their columns, and cutting to a width. */
#ifndef BRAMBLE_TOP_TEXT_H
#define BRAMBLE_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text_char {
	size_t len; /* bytes; at least 1 */
	int width;  /* columns: 0 (it combines with the one before), 1 or 2 */
	bool shown; /* false: a control character or no UTF-8, shown as a ? */
};

/* The character at the beginning of text, which is not empty. */
struct text_char text_next(const char *text);

/* How many columns a text takes. */
int text_width(const char *text);

/*
 * Writes text to out in at most width columns. A text that is too long has a "~" in place of its
 * middle, because both ends tell names apart. Returns the columns.
 */
int text_cut(char *out, size_t size, const char *text, int width);

/* How many bytes of text fit in width columns. */
size_t text_bytes(const char *text, int width);

#endif
