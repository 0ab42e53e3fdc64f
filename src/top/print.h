/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TOP_PRINT_H
#define BRAMBLE_TOP_PRINT_H

#include <stdio.h>

#include "diagnose/rows.h"

/* Prints the table in width columns. Returns 0 or -ENOMEM. */
int top_print_table(const struct rows *rows, int width, FILE *out);

/* Prints one line with a JSON object: docs/top.md. Returns 0 or -ENOMEM. */
int top_print_json(const struct rows *rows, FILE *out);

#endif
