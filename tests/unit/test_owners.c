/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/owners.h"

/* One set of owners for each test. */
static struct owners owners;

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	return owners.table ? -1 : 0;
}

static struct labels unit(const char *name)
{
	struct labels labels = {.unit = ""};

	snprintf(labels.unit, sizeof(labels.unit), "%s", name);
	return labels;
}

static struct labels container(const char *pod, const char *name)
{
	struct labels labels = {.name_space = "shop"};

	snprintf(labels.pod, sizeof(labels.pod), "%s", pod);
	snprintf(labels.container, sizeof(labels.container), "%s", name);
	return labels;
}

static struct owner *get(struct labels labels)
{
	struct owner *owner = owners_get(&owners, &labels);

	assert_non_null(owner);
	return owner;
}

static struct owner *find(struct labels labels)
{
	return owners_find(&owners, &labels);
}

static struct owner *rename_to(struct owner *owner, struct labels labels)
{
	return owners_rename(&owners, owner, &labels);
}

/* What owner waited because of cause. */
static uint64_t waited(const struct owner *owner, const struct owner *cause)
{
	uint64_t found = 0;
	size_t i;

	for (i = 0; i < owner->caused_count; i++) {
		if (owner->caused[i].cause != cause)
			continue;
		assert_int_equal(found, 0); /* a cause stands in a list once */
		found = owner->caused[i].wait_ns;
	}
	return found;
}

static void test_get_and_find(void **state)
{
	struct owner *a, *b;

	(void)state;
	assert_null(find(unit("ssh.service")));
	a = get(unit("ssh.service"));
	b = get(container("web-0", "nginx"));
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(get(unit("ssh.service")), a);
	assert_ptr_equal(find(container("web-0", "nginx")), b);
	assert_null(find(container("web-0", "")));
	assert_null(find(container("web-1", "nginx")));
	assert_string_equal(b->labels.name_space, "shop");
	assert_int_equal(a->cgroups, 0);
	assert_int_equal(HASH_COUNT(owners.table), 2);
}

static void test_labels_do_not_run_together(void **state)
{
	(void)state;
	assert_ptr_not_equal(get(container("a", "b")), get(container("ab", "")));
	assert_ptr_not_equal(get(unit("a")), get(container("a", "")));
}

static void test_many(void **state)
{
	char name[32];
	int i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "unit-%d", i);
		get(unit(name))->cgroups = (unsigned int)i;
	}
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "unit-%d", i);
		assert_int_equal(find(unit(name))->cgroups, i);
	}
}

static void test_rename_to_free_labels(void **state)
{
	struct owner *a = get(container("0a1b", "ffff")), *b = get(unit("b"));

	(void)state;
	a->totals.counter[TOTAL_SWITCHES] = 5;
	a->cgroups = 2;
	owner_add_caused(b, a, 10);
	assert_ptr_equal(rename_to(a, container("web-0", "nginx")), a);
	assert_null(find(container("0a1b", "ffff")));
	assert_ptr_equal(find(container("web-0", "nginx")), a);
	assert_string_equal(a->labels.pod, "web-0");
	assert_int_equal(a->totals.counter[TOTAL_SWITCHES], 5);
	assert_int_equal(a->cgroups, 2);
	assert_int_equal(waited(b, a), 10);
}

static void test_rename_to_own_labels(void **state)
{
	struct owner *a = get(unit("a"));

	(void)state;
	a->cgroups = 1;
	assert_ptr_equal(rename_to(a, unit("a")), a);
	assert_int_equal(a->cgroups, 1);
}

static void count_in(struct owner *owner, uint64_t times)
{
	size_t i, b;

	for (i = 0; i < TOTAL_HISTS; i++) {
		owner->totals.hist[i].sum_ns = times * 1000;
		for (b = 0; b < HIST_BUCKETS; b++)
			owner->totals.hist[i].bucket[b] = times * b;
	}
	for (i = 0; i < TOTAL_COUNTERS; i++)
		owner->totals.counter[i] = times * (i + 1);
}

static void test_merge_adds_totals(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	size_t i, bucket;

	(void)state;
	count_in(a, 3);
	count_in(b, 4);
	a->caused_other_ns = 30;
	b->caused_other_ns = 40;
	a->cgroups = 1;
	b->cgroups = 2;
	assert_ptr_equal(rename_to(a, unit("b")), b);
	assert_null(find(unit("a")));
	for (i = 0; i < TOTAL_HISTS; i++) {
		assert_int_equal(b->totals.hist[i].sum_ns, 7000);
		for (bucket = 0; bucket < HIST_BUCKETS; bucket++)
			assert_int_equal(b->totals.hist[i].bucket[bucket], 7 * bucket);
	}
	for (i = 0; i < TOTAL_COUNTERS; i++)
		assert_int_equal(b->totals.counter[i], 7 * (i + 1));
	assert_int_equal(b->caused_other_ns, 70);
	assert_int_equal(b->cgroups, 3);
}

/* Both directions: what the merged owner waited for, and who waited for it. */
static void test_merge_joins_causes(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	struct owner *hog = get(unit("hog")), *victim = get(unit("victim"));

	(void)state;
	owner_add_caused(a, hog, 1);
	owner_add_caused(b, hog, 10);
	owner_add_caused(victim, a, 100);
	owner_add_caused(victim, b, 1000);
	owner_add_caused(hog, a, 5); /* does not have b yet */
	owner_add_caused(hog, victim, 6);
	rename_to(a, unit("b"));
	assert_int_equal(waited(b, hog), 11);
	assert_int_equal(waited(victim, b), 1100);
	assert_int_equal(waited(hog, b), 5);
	assert_int_equal(waited(hog, victim), 6);
	assert_int_equal(victim->caused_count, 1);
	assert_int_equal(hog->caused_count, 2);
	assert_int_equal(b->caused_count, 1);
}

/* Two that waited because of each other, and of themselves: nothing is lost or left dangling. */
static void test_merge_of_each_others_causes(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));

	(void)state;
	owner_add_caused(a, a, 1);
	owner_add_caused(a, b, 10);
	owner_add_caused(b, a, 100);
	owner_add_caused(b, b, 1000);
	rename_to(a, unit("b"));
	assert_int_equal(b->caused_count, 1);
	assert_int_equal(waited(b, b), 1111);
}

static void test_merge_into_one_without_causes(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));

	(void)state;
	owner_add_caused(a, a, 7);
	owner_add_caused(a, b, 8);
	rename_to(a, unit("b"));
	assert_int_equal(waited(b, b), 15);
}

static void test_remove_keeps_the_time(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b")), *c = get(unit("c"));

	(void)state;
	owner_add_caused(b, a, 1);
	owner_add_caused(b, c, 2);
	owner_add_caused(c, a, 3);
	owner_add_caused(a, a, 4);
	owner_add_caused(a, b, 5);
	b->caused_other_ns = 10;
	owners_remove(&owners, a);
	assert_null(find(unit("a")));
	assert_int_equal(b->caused_other_ns, 11);
	assert_int_equal(b->caused_count, 1);
	assert_int_equal(waited(b, c), 2);
	assert_int_equal(c->caused_other_ns, 3);
	assert_int_equal(c->caused_count, 0);
}

static void test_remove_all_one_by_one(void **state)
{
	struct owner *made[20];
	char name[32];
	int i, k;

	(void)state;
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		made[i] = get(unit(name));
	}
	for (i = 0; i < 20; i++)
		for (k = 0; k < 20; k++)
			owner_add_caused(made[i], made[k], 1);
	for (i = 0; i < 19; i++)
		owners_remove(&owners, made[i]);
	assert_int_equal(made[19]->caused_other_ns, 19);
	assert_int_equal(waited(made[19], made[19]), 1);
}

static void test_caused_adds_up(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));

	(void)state;
	owner_add_caused(a, b, 1ULL << 40);
	owner_add_caused(a, b, 1);
	assert_int_equal(a->caused_count, 1);
	assert_int_equal(waited(a, b), (1ULL << 40) + 1);
}

/* Every row of the table: its counts are read from inside the cell and kept in a place of its own.
 */

static const struct family *owner_family(int id)
{
	return families[id].scope == SCOPE_OWNER ? &families[id] : NULL;
}

static size_t value_count(const struct family *family)
{
	return family->value_count ? family->value_count : 1;
}

static size_t cell_size(enum probe_id probe)
{
	assert_int_equal(probe, PROBE_SCHED); /* the one with a cell so far */
	return sizeof(struct sched_cell);
}

static void test_rows_are_inside_the_cell(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < FAMILIES; id++) {
		const struct family *family = owner_family(id);
		size_t size;

		if (!family)
			continue;
		size = family->kind == KIND_HISTOGRAM ? sizeof(struct hist)
						      : value_count(family) * sizeof(uint64_t);
		assert_true(family->cell_offset + size <= cell_size(family->probe));
		assert_int_equal(family->cell_offset % sizeof(uint64_t), 0);
	}
}

static void test_rows_have_totals_of_their_own(void **state)
{
	bool hist_taken[TOTAL_HISTS] = {false}, counter_taken[TOTAL_COUNTERS] = {false};
	size_t i;
	int id;

	(void)state;
	for (id = 0; id < FAMILIES; id++) {
		const struct family *family = owner_family(id);

		if (!family)
			continue;
		if (family->kind == KIND_HISTOGRAM) {
			assert_true(family->total < TOTAL_HISTS);
			assert_false(hist_taken[family->total]);
			hist_taken[family->total] = true;
			continue;
		}
		assert_int_equal(family->kind, KIND_COUNTER);
		for (i = family->total; i < family->total + value_count(family); i++) {
			assert_true(i < TOTAL_COUNTERS);
			assert_false(counter_taken[i]);
			counter_taken[i] = true;
		}
	}
	for (i = 0; i < TOTAL_HISTS; i++)
		assert_true(hist_taken[i]);
	for (i = 0; i < TOTAL_COUNTERS; i++)
		assert_true(counter_taken[i]);
}

/* Counts something in the family's field of an otherwise empty cell; only its total may grow. */
static void check_growth_of(const struct family *family)
{
	struct sched_cell before = {0}, now = {0};
	char *field = (char *)&now + family->cell_offset;
	struct totals totals = {0}, expected = {0};
	size_t i;

	if (family->kind == KIND_HISTOGRAM) {
		struct hist *hist = (struct hist *)field;

		hist->sum_ns = 99;
		for (i = 0; i < HIST_BUCKETS; i++)
			hist->bucket[i] = (uint32_t)i;
		expected.hist[family->total].sum_ns = 99;
		for (i = 0; i < HIST_BUCKETS; i++)
			expected.hist[family->total].bucket[i] = i;
	} else {
		for (i = 0; i < value_count(family); i++) {
			((uint64_t *)field)[i] = 10 + i;
			expected.counter[family->total + i] = 10 + i;
		}
	}
	totals_add_growth(&totals, family->probe, &now, &before);
	assert_memory_equal(&totals, &expected, sizeof(totals));
	totals_add_growth(&totals, family->probe, &now, &now);
	assert_memory_equal(&totals, &expected, sizeof(totals));
}

static void test_growth_of_every_row(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < FAMILIES; id++)
		if (owner_family(id))
			check_growth_of(owner_family(id));
}

static void test_growth_of_other_probes_is_left_alone(void **state)
{
	struct sched_cell before = {0}, now = {.switches = {1, 2}};
	struct totals totals = {0}, zero = {0};

	(void)state;
	totals_add_growth(&totals, PROBE_CGROUP, &now, &before);
	assert_memory_equal(&totals, &zero, sizeof(totals));
}

/* The kernel's buckets have 32 bits and may wrap between two reads; totals do not. */
static void test_growth_over_a_wrap(void **state)
{
	struct sched_cell before = {0}, now = {0};
	struct totals totals = {0};
	const struct hist_total *hist = &totals.hist[TOTAL_CPU_WAIT];

	(void)state;
	before.wait.bucket[7] = UINT32_MAX - 9;
	now.wait.bucket[7] = 90;
	before.wait.bucket[8] = UINT32_MAX;
	now.wait.bucket[8] = 0;
	before.wait.sum_ns = UINT64_MAX;
	now.wait.sum_ns = 4;
	totals.hist[TOTAL_CPU_WAIT].bucket[7] = UINT64_C(0xffffffff);
	totals_add_growth(&totals, PROBE_SCHED, &now, &before);
	assert_int_equal(hist->bucket[7], UINT64_C(0xffffffff) + 100);
	assert_int_equal(hist->bucket[8], 1);
	assert_int_equal(hist->sum_ns, 5);
	assert_int_equal(hist_total_count(hist), UINT64_C(0xffffffff) + 101);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get_and_find),
		TEST(test_labels_do_not_run_together),
		TEST(test_many),
		TEST(test_rename_to_free_labels),
		TEST(test_rename_to_own_labels),
		TEST(test_merge_adds_totals),
		TEST(test_merge_joins_causes),
		TEST(test_merge_of_each_others_causes),
		TEST(test_merge_into_one_without_causes),
		TEST(test_remove_keeps_the_time),
		TEST(test_remove_all_one_by_one),
		TEST(test_caused_adds_up),
		TEST(test_rows_are_inside_the_cell),
		TEST(test_rows_have_totals_of_their_own),
		TEST(test_growth_of_every_row),
		TEST(test_growth_of_other_probes_is_left_alone),
		TEST(test_growth_over_a_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
