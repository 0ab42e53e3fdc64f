/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What happened between two readings, a row for each container or unit.
 */
#ifndef BRAMBLE_TOP_ROWS_H
#define BRAMBLE_TOP_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct top_cause {
	const char *name;
	double seconds;
};

struct top_row {
	/* "namespace/pod/container" or the unit. Owned by the row. */
	char *name;
	const char *name_space, *pod, *container, *unit; /* "" if not set; of the reading */
	double wait_ratio; /* seconds waited per second: how many tasks were waiting, in the mean */
	double wait_seconds;
	double waits;	 /* per second */
	double p50, p99; /* of the waits, seconds; the upper bound of their bucket; 0: none */
	double voluntary, involuntary; /* context switches per second */
	struct top_cause *causes;      /* the worst first; owned by the row, their names too */
	size_t cause_count;
};

struct top_rows {
	struct top_row *rows;
	size_t count;
	double seconds; /* between the readings */
};

enum top_sort {
	TOP_SORT_WAIT,
	TOP_SORT_P99,
	TOP_SORT_WAITS,
	TOP_SORT_SWITCHES,
	TOP_SORT_NAME,
};

/* The words of --sort, ended by NULL. */
extern const char *const top_sort_names[];

/*
 * Compares two readings of the API. What did not run meanwhile has no row.
 * Strings point into now, which must outlive the rows. Returns 0, -EINVAL if a
 * reading is not what the API gives, or -ENOMEM.
 */
int top_rows_make(const json_t *before, const json_t *now, struct top_rows *out);

/* Keeps the rows whose name matches the extended regular expression, and sorts them. */
int top_rows_arrange(struct top_rows *rows, const char *filter, enum top_sort sort);

void top_rows_free(struct top_rows *rows);

#endif
