/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is said of the ledger holds for every row of the table of families about owners. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup/files.h"
#include "metrics/ledger.h"
#include "metrics/targets.h"
#include "metrics/times.h"

/* A reading of any source. */
union reading {
	struct cgroup_values files;
	uint64_t words[1024];
};

/* Labels for any source: it takes as many as it has. */
static const struct peer peers[] = {{.labels.name_space = "one"}, {.labels.name_space = "two"}};
static const char *const one = peers[0].labels.name_space, *const two = peers[1].labels.name_space;
static const void *const labels[CELL_LABELS_MAX] = {&peers[0], &peers[1]};

static struct ledger ledger;

static int teardown(void **state)
{
	(void)state;
	ledger_free(&ledger);
	return 0;
}

static void each_row(void (*check)(const struct family *family))
{
	const struct family *family;
	size_t count = 0;

	for (family = families; family < families + FAMILIES; family++) {
		if (!family->source)
			continue;
		print_message("%s\n", family->name);
		check(family);
		ledger_free(&ledger);
		count++;
	}
	assert_true(count > 0);
}

static bool is_of_files(const struct family *family)
{
	return family->source == SOURCE_FILES;
}

static union ledger_word *account_of(const struct family *family)
{
	union ledger_word *account = ledger_get(&ledger, family->source, labels);

	assert_non_null(account);
	return account;
}

/* Sets all values of a row in a reading, sums and each bucket, to the same. */
static void set_field(union reading *reading, const struct family *family, uint32_t to)
{
	struct hist *hist = (struct hist *)((char *)reading + family->offset);
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		if (is_of_files(family))
			reading->files.known |= UINT32_C(1)
						<< (family->offset / sizeof(uint64_t) + i);
		if (family->kind != KIND_HISTOGRAM) {
			((uint64_t *)hist)[i] = to;
			continue;
		}
		hist[i].sum_ns = to;
		for (b = 0; b < HIST_BUCKETS; b++)
			hist[i].bucket[b] = to;
	}
}

static union reading reading_of(const struct family *family, uint32_t value)
{
	union reading reading;

	memset(&reading, 0, sizeof(reading));
	set_field(&reading, family, value);
	return reading;
}

static int add(const struct family *family, const union reading *now, const union reading *before)
{
	if (is_of_files(family))
		ledger_forget_gauges(&ledger, family->source);
	return ledger_add(&ledger, family->source, labels, now, before);
}

/* Sets all of a family's values in its account. */
static void set_all(const struct family *family, uint64_t to)
{
	union ledger_word *account = account_of(family);
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		if (family->kind != KIND_HISTOGRAM) {
			*account_number(account, family, i) = to;
			continue;
		}
		account_hist(account, family, i)->sum_ns = to;
		for (b = 0; b < HIST_BUCKETS; b++)
			account_hist(account, family, i)->bucket[b] = to;
	}
}

static bool all_are(const struct family *family, uint64_t value)
{
	union ledger_word *account = account_of(family);
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		const struct hist_total *hist = account_hist(account, family, i);

		if (family->kind != KIND_HISTOGRAM) {
			if (*account_number(account, family, i) != value)
				return false;
			continue;
		}
		for (b = 0; b < HIST_BUCKETS; b++)
			if (hist->bucket[b] != value || hist->sum_ns != value)
				return false;
	}
	return true;
}

/* ---------------------------------------------------------------- rows */

static void check_place(const struct family *family)
{
	size_t size = family->kind == KIND_HISTOGRAM ? sizeof(struct hist) : sizeof(uint64_t);
	size_t end = family->offset + size * family_value_count(family);

	assert_true(end <= sizeof(union reading));
	assert_int_equal(family->offset % sizeof(uint64_t), 0);
	if (is_of_files(family))
		assert_true(end <= sizeof(((struct cgroup_values *)0)->value));
	if (family->source == SOURCE_PRESSURE)
		assert_true(end <= sizeof(uint64_t[PRESSURE_RESOURCES]));
	if (family->source == SOURCE_TIMES)
		assert_true(end <= sizeof(uint64_t[TIME_STATES]));
	if (family->source == SOURCE_CAUSED)
		assert_int_equal(end, sizeof(uint64_t));
	if (is_of_files(family)) /* what is known has a bit for each word of the account */
		assert_true(
			account_number(account_of(family), family, family_value_count(family) - 1) <
			&account_of(family)[64].number);
}

static void test_rows_are_inside_the_reading(void **state)
{
	(void)state;
	each_row(check_place);
}

/* What is written for one row is read for that row alone. */
static void test_rows_have_values_of_their_own(void **state)
{
	const struct family *family;

	(void)state;
	for (family = families; family < families + FAMILIES; family++)
		if (family->source)
			set_all(family, (uint64_t)(family - families) + 1);
	for (family = families; family < families + FAMILIES; family++)
		if (family->source)
			assert_true(all_are(family, (uint64_t)(family - families) + 1));
}

/* Every value that a cgroup's files tell has a row. */
static void test_files_have_rows(void **state)
{
	const struct family *family;
	uint64_t covered = 0;
	size_t i;

	(void)state;
	for (family = families; family < families + FAMILIES; family++)
		for (i = 0; is_of_files(family) && i < family_value_count(family); i++)
			covered |= UINT64_C(1) << (family->offset / sizeof(uint64_t) + i);
	assert_int_equal(covered, (UINT64_C(1) << CGROUP_VALUES) - 1);
}

/* ---------------------------------------------------------------- growth */

/* Counts something in the row's field of an otherwise empty reading; only its values may grow. */
static void check_growth(const struct family *family)
{
	union reading before = reading_of(family, 3), now = reading_of(family, 10);
	bool anew = is_of_files(family) && family->kind == KIND_GAUGE;
	const struct family *other;

	assert_int_equal(add(family, &now, &before), 0);
	assert_true(all_are(family, anew ? 10 : 7));
	for (other = families; other < families + FAMILIES; other++)
		if (other->source == family->source && other != family)
			assert_true(all_are(other, 0));
	assert_int_equal(add(family, &now, &now), 0);
	assert_true(all_are(family, anew ? 10 : 7));
	assert_int_equal(add(family, &now, NULL), 0);
	assert_true(all_are(family, anew ? 10 : 17));
}

static void test_growth_of_every_row(void **state)
{
	(void)state;
	each_row(check_growth);
}

/* The kernel's buckets have 32 bits and may wrap between two readings; a ledger's do not. */
static void test_growth_over_a_wrap(void **state)
{
	const struct family *family = &families[FAMILY_CPU_WAIT];
	struct sched_cell before = {0}, now = {0};
	struct hist_total *hist = account_hist(account_of(family), family, 0);

	(void)state;
	before.wait.bucket[7] = UINT32_MAX - 9;
	now.wait.bucket[7] = 90;
	before.wait.bucket[8] = UINT32_MAX;
	now.wait.bucket[8] = 0;
	now.wait.sum_ns = 5;
	hist->bucket[7] = UINT64_C(0xffffffff);
	assert_int_equal(ledger_add(&ledger, family->source, NULL, &now, &before), 0);
	assert_int_equal(hist->bucket[7], UINT64_C(0xffffffff) + 100);
	assert_int_equal(hist->bucket[8], 1);
	assert_int_equal(hist->sum_ns, 5);
	assert_int_equal(hist_total_count(hist), UINT64_C(0xffffffff) + 101);
}

/* What a visit says of a family's first value. */
static void keep_first(void *context, const struct ledger_value *value)
{
	if (!value->index)
		*(struct ledger_value *)context = *value;
}

static struct ledger_value visited(const struct family *family)
{
	struct ledger_value value = {.family = NULL};

	ledger_visit(&ledger, family, keep_first, &value);
	return value;
}

/* A gauge that holds 10: it may fall, what is gone is taken from it, and it never shows less than
 * 0. */
static void check_gauge(const struct family *family)
{
	union reading ten = reading_of(family, 10), nine = reading_of(family, 9);
	union reading zero = reading_of(family, 0);

	assert_int_equal(add(family, &nine, &ten), 0);
	assert_true(all_are(family, 9));
	assert_int_equal(add(family, &zero, &nine), 0); /* its slot was closed */
	assert_true(all_are(family, 0));
	if (is_of_files(family))
		return;
	assert_int_equal(add(family, &nine, &ten), family_value_count(family));
	assert_int_equal(visited(family).number, 0);
	assert_int_equal(add(family, &ten, &nine), 0);
	assert_int_equal(add(family, &nine, &zero), 0);
	assert_int_equal(visited(family).number, 9);
}

/* What is lower than before adds nothing, is told of, and grows from there on; a gauge may fall. */
static void check_step_back(const struct family *family)
{
	union reading ten = reading_of(family, 10), nine = reading_of(family, 9);
	union reading twelve = reading_of(family, 12);
	size_t values = family_value_count(family);

	assert_int_equal(add(family, &ten, NULL), 0);
	if (family->kind == KIND_GAUGE) {
		check_gauge(family);
		return;
	}
	if (family->kind == KIND_HISTOGRAM)
		values *= 1 + HIST_BUCKETS;
	assert_int_equal(add(family, &nine, &ten), values);
	assert_true(all_are(family, 10));
	assert_int_equal(add(family, &twelve, &nine), 0);
	assert_true(all_are(family, 13));
}

static void test_step_back_of_every_row(void **state)
{
	(void)state;
	each_row(check_step_back);
}

/* ---------------------------------------------------------------- what is not known */

static void count_known(void *context, const struct ledger_value *value)
{
	size_t *count = context;

	assert_true(value->known || (!value->counted && !value->number));
	count[0]++;
	count[1] += value->known;
}

static void test_unknown(void **state)
{
	const struct family *events = &families[FAMILY_MEMORY_EVENTS];
	const struct family *limit = &families[FAMILY_MEMORY_LIMIT];
	struct cgroup_values values = {.known = 0};
	size_t count[2] = {0};

	(void)state;
	assert_true(ledger_is_empty(&ledger));
	values.value[CGROUP_MEMORY_LIMIT] = 5;
	assert_int_equal(ledger_add(&ledger, SOURCE_FILES, NULL, &values, NULL), 0);
	assert_true(ledger_is_empty(&ledger));
	assert_true(all_are(limit, 0));
	ledger_visit(&ledger, events, count_known, count);
	assert_int_equal(count[0], 0);

	/* One value of a family is enough to be told of all. */
	values.known = 1U << CGROUP_MEMORY_EVENTS_OOM | 1U << CGROUP_MEMORY_LIMIT;
	assert_int_equal(ledger_add(&ledger, SOURCE_FILES, NULL, &values, NULL), 0);
	assert_false(ledger_is_empty(&ledger));
	ledger_visit(&ledger, events, count_known, count);
	assert_int_equal(count[0], 4);
	assert_int_equal(count[1], 1);
	assert_int_equal(visited(limit).number, 5);

	/* Of a round in which it is not told, a gauge is not known; a counter stays. */
	ledger_forget_gauges(&ledger, SOURCE_FILES);
	assert_null(visited(limit).family);
	assert_true(all_are(limit, 0));
	assert_true(account_knows(account_of(events), events, 2));
}

/* ---------------------------------------------------------------- merge */

static void check_merge(const struct family *family)
{
	bool is_gauge = family->kind == KIND_GAUGE;
	union reading ten = reading_of(family, 10);
	struct ledger from = {0};

	assert_int_equal(ledger_add(&from, family->source, labels, &ten, NULL), 0);
	ledger_merge(&ledger, &from, is_gauge ? LEDGER_COUNTERS : LEDGER_GAUGES, NULL);
	assert_true(all_are(family, 0));
	if (is_of_files(family))
		assert_null(visited(family).family);
	ledger_merge(&ledger, &from, is_gauge ? LEDGER_GAUGES : LEDGER_COUNTERS, NULL);
	assert_true(all_are(family, 10));
	ledger_merge(&ledger, &from, LEDGER_ALL, NULL);
	assert_true(all_are(family, 20));
	assert_true(account_knows(account_of(family), family, 0));
	ledger_free(&from);
}

static void test_merge_of_every_row(void **state)
{
	(void)state;
	each_row(check_merge);
}

/* Without gauges in a source there is nothing to make an account for. */
static void test_merge_makes_no_empty_accounts(void **state)
{
	const uint64_t wait_ns = 5;
	struct ledger from = {0};

	(void)state;
	ledger_add(&from, SOURCE_CAUSED, labels, &wait_ns, NULL);
	ledger_merge(&ledger, &from, LEDGER_GAUGES, NULL);
	assert_true(ledger_is_empty(&ledger));
	ledger_free(&from);
}

static void test_merge_books_all_waits_for_one(void **state)
{
	const void *const first[] = {one}, *const second[] = {two};
	const uint64_t wait_ns = 5;
	struct ledger from = {0};

	(void)state;
	ledger_add(&from, SOURCE_CAUSED, first, &wait_ns, NULL);
	ledger_add(&from, SOURCE_CAUSED, second, &wait_ns, NULL);
	ledger_merge(&ledger, &from, LEDGER_ALL, (const struct owner *)two);
	assert_int_equal(ledger_take_cause(&ledger, (const struct owner *)one), 0);
	assert_int_equal(ledger_take_cause(&ledger, (const struct owner *)two), 10);
	assert_true(ledger_is_empty(&ledger));
	ledger_free(&from);
}

/* ---------------------------------------------------------------- what has counted */

static void count_counted(void *context, const struct ledger_value *value)
{
	*(size_t *)context += value->counted;
}

static size_t counted(const struct family *family)
{
	size_t count = 0;

	ledger_visit(&ledger, family, count_counted, &count);
	return count;
}

/* With one value that has counted: of counters all have, of histograms that one. */
static void check_counted(const struct family *family)
{
	size_t last = family_value_count(family) - 1;
	union reading zeros = reading_of(family, 0);
	union ledger_word *account;

	assert_int_equal(counted(family), 0);
	add(family, &zeros, NULL);
	/* A gauge that is told to be 0 is 0. */
	if (is_of_files(family) && family->kind == KIND_GAUGE)
		assert_int_equal(counted(family), 1);
	else
		assert_int_equal(counted(family), 0);
	assert_non_null(visited(family).family);
	account = account_of(family);
	if (family->kind == KIND_HISTOGRAM)
		account_hist(account, family, last)->bucket[3] = 1;
	else
		*account_number(account, family, last) = 1;
	assert_int_equal(counted(family), family->kind == KIND_HISTOGRAM ? 1 : last + 1);
}

static void test_counted(void **state)
{
	(void)state;
	each_row(check_counted);
}

/* The gauge of a cell that has counted anything is 0, and not missing. */
static void test_gauge_of_a_cell(void **state)
{
	struct tcp_cell cell = {.retransmits = 1};

	(void)state;
	ledger_add(&ledger, SOURCE_OF_PROBE(PROBE_TCP), NULL, &cell, NULL);
	assert_int_equal(counted(&families[FAMILY_TCP_OPEN]), 1);
	assert_int_equal(visited(&families[FAMILY_TCP_OPEN]).number, 0);
}

/* ---------------------------------------------------------------- labels */

struct seen {
	size_t count;
	struct ledger_value value[8];
};

static void see(void *context, const struct ledger_value *value)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->value[seen->count++] = *value;
}

static void is_label(const struct label *label, const char *name, const char *value)
{
	assert_string_equal(label->name, name);
	assert_string_equal(label->value, value);
}

static void test_labels(void **state)
{
	const struct cgroup_values values = {.known = UINT32_MAX};
	const struct block_cell cell = {.bytes = 1};
	struct seen seen = {0};

	(void)state;
	ledger_add(&ledger, SOURCE_FILES, NULL, &values, NULL);
	ledger_visit(&ledger, &families[FAMILY_PRESSURE], see, &seen);
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.value[3].label_count, 2);
	is_label(&seen.value[3].labels[0], "resource", "memory");
	is_label(&seen.value[3].labels[1], "kind", "full");
	seen.count = 0;
	ledger_add(&ledger, SOURCE_OF_PROBE(PROBE_BLOCK), labels, &cell, NULL);
	ledger_visit(&ledger, &families[FAMILY_BLOCK_BYTES], see, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.value[0].label_count, 2);
	assert_int_equal(seen.value[0].account_labels, 2);
	is_label(&seen.value[0].labels[0], "device", "one");
	is_label(&seen.value[0].labels[1], "op", "two");
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows_are_inside_the_reading),
		TEST(test_rows_have_values_of_their_own),
		TEST(test_files_have_rows),
		TEST(test_growth_of_every_row),
		TEST(test_growth_over_a_wrap),
		TEST(test_step_back_of_every_row),
		TEST(test_unknown),
		TEST(test_merge_of_every_row),
		TEST(test_merge_makes_no_empty_accounts),
		TEST(test_merge_books_all_waits_for_one),
		TEST(test_counted),
		TEST(test_gauge_of_a_cell),
		TEST(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
