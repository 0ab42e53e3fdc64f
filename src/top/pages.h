/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The pages: what is between the header and the last line of the screen. */
#ifndef BRAMBLE_TOP_PAGES_H
#define BRAMBLE_TOP_PAGES_H

#include "top/draw.h"

/* Lines of the header, and of the sentence, which takes more lines on a narrow screen. */
#define PAGE_HEADER_LINES 2
int page_sentence_lines(int width);

/* The sentence about the selected row. */
void page_put_sentence(struct grid *grid, int y, const struct view *view);

/* The page of one row, and the help, from line y on in height lines. */
void page_put_row(struct grid *grid, int y, int height, const struct view *view);
void page_put_help(struct grid *grid, int y, int height);

/* One line with the letters of the bar and their colours. */
void page_put_legend(struct grid *grid, int y);

#endif
