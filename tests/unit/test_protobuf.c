/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Native histograms, and the protobuf format read back by the library's reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counts.h"
#include "expose/classic.h"
#include "expose/metrics.pb-c.h"
#include "expose/native.h"
#include "expose/protobuf.h"

typedef Io__Prometheus__Client__MetricFamily MetricFamily;
typedef Io__Prometheus__Client__Metric Metric;
typedef Io__Prometheus__Client__Histogram Histogram;

static struct owners owners;
static const struct wall wall = {.count = 1}; /* it reads as CLOCK_BOOTTIME does */

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	owners = (struct owners){0};
	return 0;
}

/* ---- native */

static uint32_t noise;

static uint32_t next_noise(void)
{
	noise = noise * 1664525 + 1013904223;
	return noise >> 8;
}

/* Spans and deltas are followed to their buckets, as a reader does. */
static void check_native(const struct hist_total *hist)
{
	uint64_t found[HIST_BUCKETS] = {0};
	struct native_hist native;
	int64_t count = 0;
	size_t span, delta = 0;
	int index = 0;
	uint32_t i;

	native_convert(hist, &native);
	assert_int_equal(native.zero_count, hist->bucket[0]);
	assert_int_equal(native.count, hist_total_count(hist));
	for (span = 0; span < native.span_count; span++) {
		assert_true(!span || native.span[span].offset > NATIVE_GAP_MAX);
		index += native.span[span].offset;
		for (i = 0; i < native.span[span].length; i++, index++) {
			count += native.delta[delta++];
			assert_in_range(index - HIST_MIN_K, 1, HIST_BUCKETS - 1);
			found[index - HIST_MIN_K] = (uint64_t)count;
		}
	}
	assert_int_equal(delta, native.delta_count);
	found[0] = hist->bucket[0];
	assert_memory_equal(found, hist->bucket, sizeof(found));
}

static void test_native_of_few(void **state)
{
	struct hist_total hist = {0};
	size_t a, b;

	(void)state;
	check_native(&hist);
	for (a = 0; a < HIST_BUCKETS; a++) {
		for (b = a; b < HIST_BUCKETS; b++) {
			memset(&hist, 0, sizeof(hist));
			hist.bucket[a] += 5;
			hist.bucket[b] += UINT64_MAX / 4;
			check_native(&hist);
		}
	}
}

/* From almost empty ones to such that have every other bucket, which need most spans. */
static void test_native_of_many(void **state)
{
	struct hist_total hist;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 2000; round++) {
		memset(&hist, 0, sizeof(hist));
		for (i = 0; i < HIST_BUCKETS; i++)
			if (next_noise() % (1 + round % 8) == 0)
				hist.bucket[i] = next_noise();
		check_native(&hist);
	}
	for (round = 1; round < 8; round++) {
		memset(&hist, 0, sizeof(hist));
		for (i = 1; i < HIST_BUCKETS; i += round)
			hist.bucket[i] = 1 + i;
		check_native(&hist);
	}
}

/* 2^(index/4) s is the upper bound of a bucket: 1 s ends bucket 0. */
static void test_native_index(void **state)
{
	struct hist_total hist = {0};
	struct native_hist native;

	(void)state;
	hist.bucket[hist_bucket(1000000000)] = 1;
	native_convert(&hist, &native);
	assert_int_equal(native.span[0].offset, 0);
	hist = (struct hist_total){0};
	hist.bucket[hist_bucket(1000000001)] = 1;
	native_convert(&hist, &native);
	assert_int_equal(native.span[0].offset, 1);
	assert_true(native_zero_threshold() == 1.0 / (1 << 20));
}

/* ---- messages */

static void write_family(struct buf *out, enum family_id id, enum hist_forms forms)
{
	struct scrape scrape = {.owners = &owners, .wall = &wall};
	struct protobuf protobuf;

	protobuf_begin(&protobuf, out, forms);
	samples_write_family(&protobuf.samples, &families[id], &scrape);
	protobuf_end(&protobuf);
	assert_false(buf_failed(out));
}

/* The one message there is, to be freed. */
static MetricFamily *read_family(const struct buf *in)
{
	const uint8_t *at = (const uint8_t *)in->data, *end = at + in->len;
	unsigned int shift = 0;
	MetricFamily *family;
	size_t len = 0;

	do {
		assert_true(at < end);
		len |= (size_t)(*at & 0x7f) << shift;
		shift += 7;
	} while (*at++ & 0x80);
	assert_int_equal(len, end - at);
	family = io__prometheus__client__metric_family__unpack(NULL, len, at);
	assert_non_null(family);
	return family;
}

static void free_family(MetricFamily *family)
{
	io__prometheus__client__metric_family__free_unpacked(family, NULL);
}

static MetricFamily *round_trip(enum family_id id, enum hist_forms forms)
{
	struct buf out = {0};
	MetricFamily *family;

	write_family(&out, id, forms);
	family = read_family(&out);
	buf_free(&out);
	return family;
}

/* names and values in turn, then NULL; an empty value is written, too */
static void check_labels(const Metric *metric, const char *const *expected)
{
	size_t i;

	for (i = 0; expected[2 * i]; i++) {
		assert_true(i < metric->n_label);
		assert_string_equal(metric->label[i]->name, expected[2 * i]);
		assert_non_null(metric->label[i]->value);
		assert_string_equal(metric->label[i]->value, expected[2 * i + 1]);
	}
	assert_int_equal(metric->n_label, i);
}

static void test_counters(void **state)
{
	struct owner *owner = unit_owner(&owners, "a.service");
	MetricFamily *family;
	Metric *metric;

	(void)state;
	switches_of(owner)[SWITCH_INVOLUNTARY] = 7;
	family = round_trip(FAMILY_CPU_SWITCHES, HIST_NATIVE);
	assert_string_equal(family->name, "bramble_cpu_context_switches_total");
	assert_string_equal(family->help, families[FAMILY_CPU_SWITCHES].help);
	assert_int_equal(family->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER);
	assert_int_equal(family->n_metric, SWITCH_KINDS);
	metric = family->metric[SWITCH_INVOLUNTARY];
	check_labels(metric,
		     (const char *const[]){"namespace", "", "pod", "", "container", "", "unit",
					   "a.service", "kind", "involuntary", NULL});
	assert_true(metric->counter->value == 7);
	assert_int_equal(metric->counter->created_timestamp->seconds, owner->made_ns / 1000000000);
	assert_int_equal(metric->counter->created_timestamp->nanos, owner->made_ns % 1000000000);
	assert_null(metric->gauge);
	assert_null(metric->histogram);
	free_family(family);
}

static void fill(struct hist_total *hist)
{
	unsigned int i;

	for (i = 0; i < HIST_BUCKETS; i++)
		hist->bucket[i] = i % 5 ? 0 : i + 1;
	hist->sum_ns = 1500000000;
}

static void check_native_part(const Histogram *histogram, const struct hist_total *hist)
{
	struct native_hist native;
	size_t i;

	native_convert(hist, &native);
	assert_int_equal(histogram->schema, 2);
	assert_true(histogram->zero_threshold == native_zero_threshold());
	assert_int_equal(histogram->zero_count, hist->bucket[0]);
	assert_int_equal(histogram->n_positive_span, native.span_count);
	for (i = 0; i < native.span_count; i++) {
		assert_int_equal(histogram->positive_span[i]->offset, native.span[i].offset);
		assert_int_equal(histogram->positive_span[i]->length, native.span[i].length);
	}
	assert_int_equal(histogram->n_positive_delta, native.delta_count);
	for (i = 0; i < native.delta_count; i++)
		assert_int_equal(histogram->positive_delta[i], native.delta[i]);
}

static void check_classic_part(const Histogram *histogram, const struct hist_total *hist)
{
	uint64_t counts[CLASSIC_BOUNDS + 1];
	size_t i;

	classic_counts(hist, counts);
	assert_int_equal(histogram->n_bucket, CLASSIC_BOUNDS + 1);
	for (i = 0; i <= CLASSIC_BOUNDS; i++) {
		assert_int_equal(histogram->bucket[i]->cumulative_count, counts[i]);
		assert_true(i == CLASSIC_BOUNDS ? __builtin_isinf(histogram->bucket[i]->upper_bound)
						: histogram->bucket[i]->upper_bound ==
							  classic_bound((unsigned int)i));
	}
}

static void check_histogram(enum hist_forms forms, const struct hist_total *hist)
{
	MetricFamily *family = round_trip(FAMILY_CPU_WAIT, forms);
	const Histogram *histogram = family->metric[0]->histogram;

	assert_int_equal(family->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM);
	assert_string_equal(family->unit, "seconds");
	assert_int_equal(histogram->sample_count, hist_total_count(hist));
	assert_true(histogram->sample_sum == 1.5);
	assert_non_null(histogram->created_timestamp);
	if (forms & HIST_NATIVE)
		check_native_part(histogram, hist);
	else
		assert_false(histogram->has_schema || histogram->n_positive_span);
	if (forms & HIST_CLASSIC)
		check_classic_part(histogram, hist);
	else
		assert_int_equal(histogram->n_bucket, 0);
	free_family(family);
}

static void test_histogram_forms(void **state)
{
	struct hist_total *hist = wait_of(unit_owner(&owners, "a.service"));

	(void)state;
	fill(hist);
	check_histogram(HIST_NATIVE, hist);
	check_histogram(HIST_CLASSIC, hist);
	check_histogram(HIST_BOTH, hist);
}

/* A length of more than one byte, and of more than two. */
static void test_lengths(void **state)
{
	MetricFamily *family;
	char name[32];
	size_t i, count;

	(void)state;
	for (count = 1; count <= 400; count++) {
		snprintf(name, sizeof(name), "unit-%zu.service", count);
		fill(wait_of(unit_owner(&owners, name)));
		if (count % 50 && count > 3)
			continue;
		family = round_trip(FAMILY_CPU_WAIT, HIST_BOTH);
		assert_int_equal(family->n_metric, count);
		for (i = 0; i < count; i++) {
			snprintf(name, sizeof(name), "unit-%zu.service", i + 1);
			assert_string_equal(family->metric[i]->label[3]->value, name);
		}
		free_family(family);
	}
}

static void test_nothing(void **state)
{
	struct buf out = {0};

	(void)state;
	write_family(&out, FAMILY_CPU_WAIT, HIST_BOTH);
	assert_int_equal(out.len, 0);
	unit_owner(&owners, "never-ran");
	write_family(&out, FAMILY_CPU_WAIT, HIST_BOTH);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_native_of_few), TEST(test_native_of_many),  TEST(test_native_index),
		TEST(test_counters),	  TEST(test_histogram_forms), TEST(test_lengths),
		TEST(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
