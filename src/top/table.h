/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of rows, on a grid. */
#ifndef BRAMBLE_TOP_TABLE_H
#define BRAMBLE_TOP_TABLE_H

#include "top/columns.h"
#include "top/grid.h"

/* Puts the titles in a line of the grid. sorted: the column to mark; COLUMNS_ALL: none. */
void table_put_titles(struct grid *grid, int y, const struct column_layout *layout,
		      enum column_id sorted);

/* Puts one row in a line of the grid. */
void table_put_row(struct grid *grid, int y, const struct column_layout *layout,
		   const struct rows *rows, const struct row *row, bool selected);

#endif
