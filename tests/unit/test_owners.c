/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counts.h"
#include "metrics/causes.h"
#include "metrics/owners.h"
#include "util/clock.h"

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
	switches_of(a)[0] = 5;
	a->cgroups = 2;
	owner_add_caused(b, a, 10);
	assert_ptr_equal(rename_to(a, container("web-0", "nginx")), a);
	assert_null(find(container("0a1b", "ffff")));
	assert_ptr_equal(find(container("web-0", "nginx")), a);
	assert_string_equal(a->labels.pod, "web-0");
	assert_int_equal(switches_of(a)[0], 5);
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

/* Makes up a cell: each bucket and counter of it differs. */
static void fill_cell(union probe_cell *cell, unsigned int times)
{
	uint64_t *counters = (uint64_t *)&cell->sched;
	size_t i;

	for (i = 0; i < SWITCH_KINDS; i++)
		counters[i] = (uint64_t)times * (i + 1);
	cell->sched.wait.sum_ns = (uint64_t)times * 1000;
	for (i = 0; i < HIST_BUCKETS; i++)
		cell->sched.wait.bucket[i] = times * (uint32_t)i;
}

static void count_in(struct owner *owner, unsigned int times)
{
	union probe_cell cell = {.sched = {.switches = {0}}};

	fill_cell(&cell, times);
	total_add_growth(owner_total(owner, PROBE_SCHED), &cell, NULL);
}

static void test_merge_adds_totals(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	size_t i;

	(void)state;
	count_in(a, 3);
	count_in(b, 4);
	a->caused_other_ns = 30;
	b->caused_other_ns = 40;
	a->cgroups = 1;
	b->cgroups = 2;
	assert_ptr_equal(rename_to(a, unit("b")), b);
	assert_null(find(unit("a")));
	assert_int_equal(wait_of(b)->sum_ns, 7000);
	for (i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(wait_of(b)->bucket[i], 7 * i);
	for (i = 0; i < SWITCH_KINDS; i++)
		assert_int_equal(switches_of(b)[i], 7 * (i + 1));
	assert_int_equal(b->caused_other_ns, 70);
	assert_int_equal(b->cgroups, 3);
}

/* Totals with other labels stay apart, and the merged owner's are kept though the other had none.
 */
static void test_merge_keeps_labels_apart(void **state)
{
	static const char one[] = "one", two[] = "two";
	const struct cell_labels first = {{one}}, second = {{two}};
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	const struct family *family = &families[FAMILY_CPU_SWITCHES];

	(void)state;
	total_counters(totals_get(&a->totals, PROBE_SCHED, &first), family)[0] = 1;
	total_counters(totals_get(&a->totals, PROBE_SCHED, &second), family)[0] = 2;
	total_counters(totals_get(&b->totals, PROBE_SCHED, &second), family)[0] = 4;
	rename_to(a, unit("b"));
	assert_int_equal(total_counters(totals_find(b->totals, PROBE_SCHED, &first), family)[0], 1);
	assert_int_equal(total_counters(totals_find(b->totals, PROBE_SCHED, &second), family)[0],
			 6);
	assert_null(owner_find_total(b, PROBE_SCHED));
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

/* As another cause's, the time would seem to have been waited just now. */
static void test_remove_takes_the_time(void **state)
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
	assert_int_equal(b->caused_other_ns, 10);
	assert_int_equal(b->caused_gone_ns, 0);
	assert_int_equal(b->caused_count, 1);
	assert_int_equal(waited(b, c), 2);
	assert_int_equal(c->caused_other_ns, 0);
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
	assert_int_equal(made[19]->caused_other_ns, 0);
	assert_int_equal(made[19]->caused_count, 1);
	assert_int_equal(waited(made[19], made[19]), 1);
}

/* A rename keeps who it is; the same labels made anew are another one. */
static void test_ids(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	uint64_t id = a->id;

	(void)state;
	assert_true(id && b->id && id != b->id);
	rename_to(a, unit("c"));
	assert_int_equal(find(unit("c"))->id, id);
	assert_int_equal(find(unit("c"))->joined.at_ns, 0);
	owners_remove(&owners, find(unit("c")));
	assert_true(get(unit("c"))->id > b->id);
}

/* Of two takeovers the first ones are within. */
static void test_joined(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b")), *c = get(unit("c"));
	uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	a->since_ns = 40;
	b->since_ns = 30;
	c->since_ns = 20;
	rename_to(b, unit("a"));
	assert_int_equal(a->joined.since_ns, 30);
	assert_true(a->joined.at_ns >= now_ns);
	assert_int_equal(a->since_ns, 30);
	rename_to(a, unit("c"));
	assert_int_equal(c->joined.since_ns, 30);
	assert_int_equal(c->since_ns, 20);
	a = get(unit("a"));
	a->since_ns = 10;
	rename_to(a, unit("c"));
	assert_int_equal(c->joined.since_ns, 10);
	assert_int_equal(c->since_ns, 10);
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
	return family_in_cells(&families[id]) ? &families[id] : NULL;
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
		size = family->kind == KIND_HISTOGRAM ? sizeof(struct hist) : sizeof(uint64_t);
		size *= family_value_count(family);
		assert_true(family->cell_offset + size <= sizeof(union probe_cell));
		assert_int_equal(family->cell_offset % sizeof(uint64_t), 0);
	}
}

/* Sets all of a family's values in a total. */
static void set_all(struct total *total, const struct family *family, uint64_t to)
{
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		if (family->kind != KIND_HISTOGRAM) {
			total_counters(total, family)[i] = to;
			continue;
		}
		total_hist(total, family, i)->sum_ns = to;
		for (b = 0; b < HIST_BUCKETS; b++)
			total_hist(total, family, i)->bucket[b] = to;
	}
}

static bool all_are(const struct total *total, const struct family *family, uint64_t value)
{
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		const struct hist_total *hist = total_hist_of(total, family, i);

		if (family->kind != KIND_HISTOGRAM) {
			if (total_counters_of(total, family)[i] != value)
				return false;
			continue;
		}
		for (b = 0; b < HIST_BUCKETS; b++)
			if (hist->bucket[b] != value || hist->sum_ns != value)
				return false;
	}
	return true;
}

/* What is written for one row is read for that row alone. */
static void test_rows_have_values_of_their_own(void **state)
{
	struct owner *owner = get(unit("a"));
	int id, other;

	(void)state;
	for (id = 0; id < FAMILIES; id++)
		if (owner_family(id))
			set_all(owner_total(owner, families[id].probe), &families[id],
				(uint64_t)id + 1);
	for (other = 0; other < FAMILIES; other++)
		if (owner_family(other))
			assert_true(all_are(owner_find_total(owner, families[other].probe),
					    &families[other], (uint64_t)other + 1));
}

/* Sets all counters or histograms of a row in a cell: sums and each bucket to the same. */
static void set_field(union probe_cell *cell, const struct family *family, uint32_t to)
{
	struct hist *hist = (struct hist *)((char *)cell + family->cell_offset);
	size_t i, b;

	for (i = 0; i < family_value_count(family); i++) {
		if (family->kind != KIND_HISTOGRAM) {
			((uint64_t *)hist)[i] = to;
			continue;
		}
		hist[i].sum_ns = to;
		for (b = 0; b < HIST_BUCKETS; b++)
			hist[i].bucket[b] = to;
	}
}

/* Counts something in the row's field of an otherwise empty cell; only its values may grow. */
static void check_growth_of(const struct family *family)
{
	static const struct cell_labels none;
	union probe_cell before, now;
	struct total *total = NULL;
	int id;

	memset(&before, 0, sizeof(before));
	memset(&now, 0, sizeof(now));
	set_field(&before, family, 3);
	set_field(&now, family, 10);
	assert_non_null(totals_get(&total, family->probe, &none));
	total_add_growth(total, &now, &before);
	assert_true(all_are(total, family, 7));
	for (id = 0; id < FAMILIES; id++)
		if (owner_family(id) && families[id].probe == family->probe &&
		    &families[id] != family)
			assert_true(all_are(total, &families[id], 0));
	total_add_growth(total, &now, &now);
	assert_true(all_are(total, family, 7));
	total_add_growth(total, &now, NULL);
	assert_true(all_are(total, family, 17));
	totals_free(total);
}

static void test_growth_of_every_row(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < FAMILIES; id++)
		if (owner_family(id))
			check_growth_of(owner_family(id));
}

/* The kernel's buckets have 32 bits and may wrap between two reads; totals do not. */
static void test_growth_over_a_wrap(void **state)
{
	struct sched_cell before = {0}, now = {0};
	struct owner *owner = get(unit("a"));
	struct hist_total *hist = wait_of(owner);

	(void)state;
	before.wait.bucket[7] = UINT32_MAX - 9;
	now.wait.bucket[7] = 90;
	before.wait.bucket[8] = UINT32_MAX;
	now.wait.bucket[8] = 0;
	now.wait.sum_ns = 5;
	hist->bucket[7] = UINT64_C(0xffffffff);
	total_add_growth(owner_total(owner, PROBE_SCHED), &now, &before);
	assert_int_equal(hist->bucket[7], UINT64_C(0xffffffff) + 100);
	assert_int_equal(hist->bucket[8], 1);
	assert_int_equal(hist->sum_ns, 5);
	assert_int_equal(hist_total_count(hist), UINT64_C(0xffffffff) + 101);
}

/* A gauge that holds 10: it may fall, what is gone is taken from it, and it never shows less than
 * 0. */
static void check_gauge(struct total *total, const struct family *family)
{
	union probe_cell ten, nine, zero;

	memset(&ten, 0, sizeof(ten));
	memset(&nine, 0, sizeof(nine));
	memset(&zero, 0, sizeof(zero));
	set_field(&ten, family, 10);
	set_field(&nine, family, 9);
	assert_int_equal(total_add_growth(total, &nine, &ten), 0);
	assert_true(all_are(total, family, 9));
	assert_int_equal(total_add_growth(total, &zero, &nine), 0); /* its slot was closed */
	assert_true(all_are(total, family, 0));
	assert_int_equal(total_add_growth(total, &nine, &ten), family_value_count(family));
	assert_int_equal(total_value(total, family, 0), 0);
	assert_int_equal(total_add_growth(total, &ten, &nine), 0);
	assert_int_equal(total_add_growth(total, &nine, &zero), 0);
	assert_int_equal(total_value(total, family, 0), 9);
}

/* What is lower than before adds nothing, is told of, and grows from there on; a gauge may fall. */
static void check_step_back_of(const struct family *family)
{
	static const struct cell_labels none;
	size_t values = family_value_count(family);
	union probe_cell before, now;
	struct total *total = NULL;

	memset(&before, 0, sizeof(before));
	memset(&now, 0, sizeof(now));
	set_field(&before, family, 10);
	set_field(&now, family, 9);
	assert_non_null(totals_get(&total, family->probe, &none));
	total_add_growth(total, &before, NULL);
	if (family->kind == KIND_GAUGE) {
		check_gauge(total, family);
		totals_free(total);
		return;
	}
	if (family->kind == KIND_HISTOGRAM)
		values *= 1 + HIST_BUCKETS;
	assert_int_equal(total_add_growth(total, &now, &before), values);
	assert_true(all_are(total, family, 10));
	before = now;
	set_field(&now, family, 12);
	assert_int_equal(total_add_growth(total, &now, &before), 0);
	assert_true(all_are(total, family, 13));
	totals_free(total);
}

static void test_step_back_of_every_row(void **state)
{
	int id;

	(void)state;
	for (id = 0; id < FAMILIES; id++)
		if (owner_family(id))
			check_step_back_of(owner_family(id));
}

/* The sum of a pair is the kernel's, and known to the owner as it was told last. */
static void test_step_back_of_a_pair(void **state)
{
	struct owner *victim = get(unit("a")), *cause = get(unit("b"));
	const struct wait_pair pair = {.victim = 1, .cause = 2};
	struct causes causes = {NULL};

	(void)state;
	assert_true(causes_add(&causes, pair, victim, cause, 10));
	assert_false(causes_add(&causes, pair, victim, cause, 9));
	assert_true(causes_add(&causes, pair, victim, cause, 9));
	assert_int_equal(victim->caused[0].wait_ns, 10);
	assert_true(causes_add(&causes, pair, victim, cause, 12));
	assert_int_equal(victim->caused[0].wait_ns, 13);
	causes_free(&causes);
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
		TEST(test_merge_keeps_labels_apart),
		TEST(test_merge_joins_causes),
		TEST(test_merge_of_each_others_causes),
		TEST(test_merge_into_one_without_causes),
		TEST(test_remove_takes_the_time),
		TEST(test_remove_all_one_by_one),
		TEST(test_ids),
		TEST(test_joined),
		TEST(test_caused_adds_up),
		TEST(test_rows_are_inside_the_cell),
		TEST(test_rows_have_values_of_their_own),
		TEST(test_growth_of_every_row),
		TEST(test_growth_over_a_wrap),
		TEST(test_step_back_of_every_row),
		TEST(test_step_back_of_a_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
