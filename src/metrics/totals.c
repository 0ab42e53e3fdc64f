/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/totals.h"

#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"

#define HIST_VALUES (sizeof(struct hist_total) / sizeof(uint64_t))

/* Whether a family is counted in the cells of a probe. */
static bool is_of(const struct family *family, enum probe_id probe)
{
	return family_in_cells(family) && family->probe == probe;
}

/* How many of a total's values a family takes. */
static size_t width(const struct family *family)
{
	size_t count = family_value_count(family);

	return family->kind == KIND_HISTOGRAM ? count * HIST_VALUES : count;
}

/* How many values the rows of a probe take before end, a row; or all, where end is the last's. */
static size_t width_before(enum probe_id probe, const struct family *end)
{
	const struct family *family;
	size_t sum = 0;

	for (family = families; family < end; family++)
		if (is_of(family, probe))
			sum += width(family);
	return sum;
}

/* Where a family's values begin: found out once, and never 0 for a later row. */
static size_t offset_of(const struct family *family)
{
	static size_t offsets[FAMILIES];
	size_t *offset = &offsets[family - families];

	if (!*offset)
		*offset = width_before(family->probe, family);
	return *offset;
}

struct total *totals_find(struct total *list, enum probe_id probe, const struct cell_labels *labels)
{
	struct total *total;

	for (total = list; total; total = total->next)
		if (total->probe == probe && cell_labels_equal(&total->labels, labels))
			return total;
	return NULL;
}

struct total *totals_get(struct total **list, enum probe_id probe, const struct cell_labels *labels)
{
	struct total *total = totals_find(*list, probe, labels);

	if (total)
		return total;
	total = calloc(1, sizeof(*total) +
				  width_before(probe, families + FAMILIES) * sizeof(uint64_t));
	if (!total)
		return NULL;
	total->probe = probe;
	total->labels = *labels;
	while (*list)
		list = &(*list)->next;
	*list = total;
	return total;
}

uint64_t *total_counters(struct total *total, const struct family *family)
{
	return total->values + offset_of(family);
}

struct hist_total *total_hist(struct total *total, const struct family *family, size_t value)
{
	return (struct hist_total *)(total->values + offset_of(family) + value * HIST_VALUES);
}

const uint64_t *total_counters_of(const struct total *total, const struct family *family)
{
	return total->values + offset_of(family);
}

const struct hist_total *total_hist_of(const struct total *total, const struct family *family,
				       size_t value)
{
	return (const struct hist_total *)(total->values + offset_of(family) + value * HIST_VALUES);
}

/* These return how many of the values were lower than before. */

static size_t hist_add_growth(struct hist_total *total, const struct hist *now,
			      const struct hist *before)
{
	size_t i, lower = now->sum_ns < before->sum_ns;

	total->sum_ns += grown(now->sum_ns, before->sum_ns);
	for (i = 0; i < HIST_BUCKETS; i++) {
		uint32_t added = grown32(now->bucket[i], before->bucket[i]);

		total->bucket[i] += added;
		lower += !added && now->bucket[i] != before->bucket[i];
	}
	return lower;
}

static size_t counter_add_growth(uint64_t *total, uint64_t now, uint64_t before)
{
	*total += grown(now, before);
	return now < before;
}

static size_t gauge_add_growth(uint64_t *total, uint64_t now, uint64_t before)
{
	*total += now - before;
	return (int64_t)*total < 0;
}

static size_t add_growth(struct total *total, const struct family *family, const char *now,
			 const char *before)
{
	const struct hist *hist = (const void *)(now + family->cell_offset);
	const struct hist *hist_before = (const void *)(before + family->cell_offset);
	const uint64_t *value = (const void *)hist, *value_before = (const void *)hist_before;
	size_t i, lower = 0;

	for (i = 0; i < family_value_count(family); i++)
		if (family->kind == KIND_HISTOGRAM)
			lower += hist_add_growth(total_hist(total, family, i), &hist[i],
						 &hist_before[i]);
		else if (family->kind == KIND_COUNTER)
			lower += counter_add_growth(&total_counters(total, family)[i], value[i],
						    value_before[i]);
		else
			lower += gauge_add_growth(&total_counters(total, family)[i], value[i],
						  value_before[i]);
	return lower;
}

size_t total_add_growth(struct total *total, const void *now, const void *before)
{
	static const union probe_cell zeros;
	const struct family *family;
	size_t lower = 0;

	for (family = families; family < families + FAMILIES; family++)
		if (is_of(family, total->probe))
			lower += add_growth(total, family, now, before ? before : &zeros);
	return lower;
}

static bool is_part(const struct family *family, enum totals_part part)
{
	return part & (family->kind == KIND_GAUGE ? TOTALS_GAUGES : TOTALS_COUNTERS);
}

static void merge(struct total *to, const struct total *from, enum totals_part part)
{
	const struct family *family;
	size_t i, offset;

	for (family = families; family < families + FAMILIES; family++) {
		if (!is_of(family, from->probe) || !is_part(family, part))
			continue;
		offset = offset_of(family);
		for (i = offset; i < offset + width(family); i++)
			to->values[i] += from->values[i];
	}
}

void totals_merge(struct total **to, const struct total *from, enum totals_part part)
{
	for (; from; from = from->next) {
		struct total *total = totals_get(to, from->probe, &from->labels);

		if (total)
			merge(total, from, part);
	}
}

void totals_free(struct total *list)
{
	while (list) {
		struct total *next = list->next;

		free(list);
		list = next;
	}
}

uint64_t total_value(const struct total *total, const struct family *family, size_t value)
{
	uint64_t number = total_counters_of(total, family)[value];

	return family->kind == KIND_GAUGE && (int64_t)number < 0 ? 0 : number;
}

bool total_counted(const struct total *total, const struct family *family, size_t value)
{
	size_t i, count;

	if (family->kind == KIND_HISTOGRAM)
		return hist_total_count(total_hist_of(total, family, value)) > 0;
	if (family->kind == KIND_COUNTER)
		return total_counters_of(total, family)[value] > 0;
	count = width_before(total->probe, families + FAMILIES);
	for (i = 0; i < count; i++)
		if (total->values[i])
			return true;
	return false;
}

uint64_t hist_total_count(const struct hist_total *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}
