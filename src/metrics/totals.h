/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Totals: what the cells of one probe counted for one owner, in 64 bits. A
 * total has the counters and histograms of its probe's rows in the table of
 * families, one after the other. It only grows, whatever becomes of the cells;
 * gauges, which a cell counts up and down, follow it.
 *
 * A probe whose cells have further labels (a device, an operation) has a total
 * for each of their values.
 */
#ifndef BRAMBLE_TOTALS_H
#define BRAMBLE_TOTALS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/families.h"

struct hist_total {
	uint64_t sum_ns;
	uint64_t bucket[HIST_BUCKETS];
};

struct total {
	struct total *next;
	enum probe_id probe;
	struct cell_labels labels;
	uint64_t values[];
};

/* The total in a list, made and put at its end if there is none. NULL: no memory. */
struct total *totals_get(struct total **list, enum probe_id probe,
			 const struct cell_labels *labels);

/* The same, but NULL if there is none. */
struct total *totals_find(struct total *list, enum probe_id probe,
			  const struct cell_labels *labels);

/*
 * Adds what a probe's cell grew by from before to now. before: NULL for a cell of zeros. What is
 * lower than before adds nothing, and grows from there on; a gauge may fall, but not below zero.
 * Returns how many values did what they must not.
 */
size_t total_add_growth(struct total *total, const void *now, const void *before);

/* Which values of a total: a gauge goes with who holds it, a counter stays where it was shown. */
enum totals_part {
	TOTALS_COUNTERS = 1 << 0, /* and histograms */
	TOTALS_GAUGES = 1 << 1,
	TOTALS_ALL = TOTALS_COUNTERS | TOTALS_GAUGES,
};

/* Adds this part of what a list counted to another one, which is left as it was without memory. */
void totals_merge(struct total **to, const struct total *from, enum totals_part part);

void totals_free(struct total *list);

/* Where a family's counters (family_value_count() of them) and histograms stand in a total. */
uint64_t *total_counters(struct total *total, const struct family *family);
struct hist_total *total_hist(struct total *total, const struct family *family, size_t value);
const uint64_t *total_counters_of(const struct total *total, const struct family *family);
const struct hist_total *total_hist_of(const struct total *total, const struct family *family,
				       size_t value);

/* One of them, to be shown: a gauge below zero is 0. */
uint64_t total_value(const struct total *total, const struct family *family, size_t value);

/* Whether the value has ever counted: what has not is not exported. A gauge has, if any family of
 * its cell has. */
bool total_counted(const struct total *total, const struct family *family, size_t value);

/* The number of values in a histogram. */
uint64_t hist_total_count(const struct hist_total *hist);

#endif
