/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The columns of the table: what each shows, which of them find room, and the
 * order of the rows.
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
	const char *word; /* of --sort; NULL: it cannot be sorted by */
	const char *help;
	int width; /* the least, without the space in front */
	int most;  /* it grows to, where there is room; equal to width: it does not */
	int order; /* the smaller, the longer it stays on a narrow screen */
	bool left; /* text, not a number */
};

extern const struct column column_list[COLUMNS_ALL];

/* A column that was given a place. */
struct column_place {
	enum column_id id;
	int at, width;
};

struct column_layout {
	struct column_place places[COLUMNS_ALL];
	int count;
};

/*
 * Chooses the columns for a screen, in their order, and gives them their widths. What nothing
 * measures here comes last. The name always has a place.
 */
void columns_fit(const struct rows *rows, int screen_width, struct column_layout *layout);

/* Whether anything measures what a column shows. */
bool column_measured(const struct rows *rows, enum column_id id);

/*
 * What a column shows of a row, as text: "-" for what is not measured or has
 * nothing to show. Not for the name, the bar and the cause.
 */
void column_format(const struct rows *rows, const struct row *row, enum column_id id,
		   char text[FORMAT_SIZE]);

/* The words of --sort, ended by NULL, and which column each means. */
extern const char *const column_sort_names[];
enum column_id column_of_sort(int sort);

/* Sorts the rows by a column: the largest first, names by the alphabet. What is not measured comes
 * last. */
void columns_sort(struct rows *rows, enum column_id id, bool reverse);

#endif
