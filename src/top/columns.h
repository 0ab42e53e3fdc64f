/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The columns of the table: what each shows, which of them have room, and the order of the rows.
 */
#ifndef BRAMBLE_TOP_COLUMNS_H
#define BRAMBLE_TOP_COLUMNS_H

#include <stdbool.h>

#include "diagnose/format.h"
#include "diagnose/rows.h"

enum column_id {
	COLUMN_NAME,
	COLUMN_CPU,
	COLUMN_WAIT,
	COLUMN_P99,
	COLUMN_BAR,
	COLUMN_CAUSE,
	COLUMN_DISK,
	COLUMN_FSYNC,
	COLUMN_RESPONSE,
	COLUMN_RATE,
	COLUMN_RETRANSMITS,
	COLUMN_STALL,
	COLUMN_WAITS,
	COLUMN_SWITCHES,
	COLUMNS_ALL,
};

struct column {
	const char *title;
	const char *word; /* of --sort; NULL: rows cannot be sorted by it */
	const char *help;
	int width; /* the smallest, without the space in front */
	int most;  /* the largest, if there is room */
	int order; /* on a narrow screen those with large numbers go first */
	bool left; /* text, not a number */
};

extern const struct column column_list[COLUMNS_ALL];

/* A column that has a place on the screen. */
struct column_place {
	enum column_id id;
	int at, width;
};

struct column_layout {
	struct column_place places[COLUMNS_ALL];
	int count;
};

/*
 * Chooses the columns for a screen and gives them their widths. Columns that nothing measures here
 * are the last to get a place. The name always has one.
 */
void columns_fit(const struct rows *rows, int screen_width, struct column_layout *layout);

/* Whether anything measures what a column shows. */
bool column_measured(const struct rows *rows, enum column_id id);

/*
 * Writes what a column shows of a row: "-" if it is not measured or there is nothing to show. Not
 * for the name, the bar and the cause.
 */
void column_format(const struct rows *rows, const struct row *row, enum column_id id,
		   char text[FORMAT_SIZE]);

/* The words of --sort, ended by NULL, and which column each means. */
extern const char *const column_sort_names[];
enum column_id column_of_sort(int sort);

/* Sorts the rows by a column: the largest value first, names by the alphabet, and what is not
 * measured last. */
void columns_sort(struct rows *rows, enum column_id id, bool reverse);

#endif
