/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Readings of the API, made in a test: texts, and the rows of two of them. */
#ifndef TESTS_READINGS_H
#define TESTS_READINGS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/reading_json.h"
#include "diagnose/rows.h"

/* A histogram: its buckets are "[INDEX,COUNT],...". */
#define HIST(count, sum, buckets)                                                                  \
	"{'count':" #count ",'sum_seconds':" #sum ",'buckets':[" buckets "]}"

static struct reading reading_before, reading_now;
static struct rows rows;

static inline bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

/* Quotes are written as apostrophes. */
static inline int read_text(struct reading *reading, const char *text)
{
	char *copy = strdup(text), *c;

	assert_non_null(copy);
	for (c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return reading_parse(reading, copy, strlen(copy));
}

static inline void free_rows(void)
{
	rows_free(&rows);
	reading_free(&reading_before);
	reading_free(&reading_now);
}

/* The rows of two readings. */
static inline void make_rows_of(const char *before, const char *now, enum row_level level)
{
	free_rows();
	assert_int_equal(read_text(&reading_before, before), 0);
	assert_int_equal(read_text(&reading_now, now), 0);
	assert_int_equal(rows_make(&reading_before, &reading_now, level, &rows), 0);
}

/* The same, where all that does not say since when it counts began between the two. */
static inline void make_rows_begun(const char *before, const char *now, enum row_level level)
{
	size_t i;

	free_rows();
	assert_int_equal(read_text(&reading_before, before), 0);
	assert_int_equal(read_text(&reading_now, now), 0);
	for (i = 0; i < reading_now.count; i++)
		if (isnan(reading_now.entries[i].since_seconds))
			reading_now.entries[i].since_seconds = reading_now.time_seconds;
	assert_int_equal(rows_make(&reading_before, &reading_now, level, &rows), 0);
}

/* The rows of containers that began in these seconds. */
static inline void make_rows(int seconds, const char *containers)
{
	size_t size = strlen(containers) + 128;
	char *now = malloc(size);

	assert_non_null(now);
	snprintf(now, size, "{'time_seconds':%d,'containers':[%s]}", 100 + seconds, containers);
	make_rows_begun("{'time_seconds':100,'containers':[]}", now, ROW_LEVEL_CONTAINER);
	free(now);
}

/* ---------------------------------------------------------------- two readings that are the same
 */

/* Numbers are the same to the last bit; NAN is the same as NAN. */
static inline void assert_same_number(double a, double b)
{
	if (!(a == b || (isnan(a) && isnan(b))))
		fail_msg("%.17g is not %.17g", a, b);
}

static inline void assert_same_labels(const struct reading_labels *a,
				      const struct reading_labels *b)
{
	assert_true(reading_labels_equal(a, b));
	assert_string_equal(a->workload_kind, b->workload_kind);
	assert_string_equal(a->workload, b->workload);
}

static inline void assert_same_hist(const struct reading_hist *a, const struct reading_hist *b)
{
	size_t i;

	assert_int_equal(a->known, b->known);
	assert_same_number(a->count, b->count);
	assert_same_number(a->sum_seconds, b->sum_seconds);
	assert_int_equal(a->bucket_count, b->bucket_count);
	for (i = 0; i < a->bucket_count; i++) {
		assert_int_equal(a->buckets[i].index, b->buckets[i].index);
		assert_int_equal(a->buckets[i].count, b->buckets[i].count);
	}
}

static inline void assert_same_entry(const struct reading_entry *a, const struct reading_entry *b)
{
	size_t i;

	assert_same_labels(&a->labels, &b->labels);
	assert_int_equal(a->id, b->id);
	assert_same_number(a->since_seconds, b->since_seconds);
	assert_same_number(a->joined_since_seconds, b->joined_since_seconds);
	assert_same_number(a->joined_at_seconds, b->joined_at_seconds);
	for (i = 0; i < SIGNAL_HISTS; i++)
		assert_same_hist(&a->hist[i], &b->hist[i]);
	for (i = 0; i < SIGNAL_VALUES; i++) {
		assert_int_equal(a->value_known[i], b->value_known[i]);
		assert_same_number(a->value[i], b->value[i]);
	}
	assert_int_equal(a->cause_count, b->cause_count);
	for (i = 0; i < a->cause_count; i++) {
		assert_same_labels(&a->causes[i].labels, &b->causes[i].labels);
		assert_int_equal(a->causes[i].id, b->causes[i].id);
		assert_same_number(a->causes[i].seconds, b->causes[i].seconds);
	}
}

static inline void assert_same_node(const struct reading_node *a, const struct reading_node *b)
{
	size_t i;

	assert_string_equal(a->name, b->name);
	for (i = 0; i < 3; i++)
		assert_same_number(a->load[i], b->load[i]);
	assert_same_number(a->cpus, b->cpus);
	assert_same_number(a->celsius, b->celsius);
	assert_int_equal(a->celsius_is_cpus, b->celsius_is_cpus);
	assert_same_number(a->memory_total, b->memory_total);
	assert_same_number(a->memory_available, b->memory_available);
	assert_int_equal(a->throttle_known, b->throttle_known);
	assert_int_equal(a->throttled_count, b->throttled_count);
	for (i = 0; i < a->throttled_count; i++)
		assert_string_equal(a->throttled[i], b->throttled[i]);
}

static inline void assert_same_reading(const struct reading *a, const struct reading *b)
{
	size_t i;

	assert_same_number(a->time_seconds, b->time_seconds);
	assert_same_number(a->started_seconds, b->started_seconds);
	assert_int_equal(a->last_id, b->last_id);
	for (i = 0; i < SIGNAL_PROBES; i++) {
		assert_int_equal(a->probe_known[i], b->probe_known[i]);
		assert_int_equal(a->probe_up[i], b->probe_up[i]);
	}
	assert_same_node(&a->node, &b->node);
	assert_int_equal(a->count, b->count);
	for (i = 0; i < a->count; i++)
		assert_same_entry(&a->entries[i], &b->entries[i]);
}

static inline const struct row *row_of(const char *name)
{
	size_t i;

	for (i = 0; i < rows.count; i++)
		if (strcmp(rows.rows[i].name, name) == 0)
			return &rows.rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

#endif
