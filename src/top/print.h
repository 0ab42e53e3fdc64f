/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TOP_PRINT_H
#define BRAMBLE_TOP_PRINT_H

#include <stdio.h>

#include "top/rows.h"

/* A table of at least 80 columns; the names get what a wider terminal has. */
void top_print_table(const struct top_rows *rows, unsigned int width, FILE *out);

/* One JSON object in a line. Returns 0 or -ENOMEM. */
int top_print_json(const struct top_rows *rows, FILE *out);

/* A duration in at most 6 columns: "950ns", "12ms", "1.2s"; "-" for 0, ">128s" for infinity. */
void top_format_seconds(char text[16], double seconds);

#endif
