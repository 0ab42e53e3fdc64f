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
#include "metrics/unread.h"
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

struct waits {
	const struct owner *cause;
	size_t found, causes;
	uint64_t wait_ns;
};

static void on_wait(void *context, const struct ledger_value *value)
{
	struct waits *waits = context;

	waits->causes += value->cause != &owner_other && value->cause != &owner_gone;
	if (value->cause != waits->cause)
		return;
	waits->found++;
	waits->wait_ns = value->number;
}

/* How many causes are kept apart. */
static size_t causes_of(const struct owner *owner)
{
	struct waits waits = {0};

	ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], on_wait, &waits);
	return waits.causes;
}

/* What owner waited because of cause, which has one account. */
static uint64_t waited(const struct owner *owner, const struct owner *cause)
{
	struct waits waits = {.cause = cause};

	ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], on_wait, &waits);
	assert_true(waits.found <= 1);
	return waits.wait_ns;
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
	assert_int_equal(
		ledger_add(&owner->ledger, SOURCE_OF_PROBE(PROBE_SCHED), NULL, &cell, NULL), 0);
}

/* As a probe does it. */
static void count_again(struct owner *owner, unsigned int times)
{
	union probe_cell cell = {.sched = {.switches = {0}}};

	fill_cell(&cell, times);
	assert_int_equal(owner_add(owner, SOURCE_OF_PROBE(PROBE_SCHED), NULL, &cell, NULL), 0);
}

static void test_merge_adds_totals(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));
	size_t i;

	(void)state;
	count_in(a, 3);
	count_in(b, 4);
	owner_add_caused(a, &owner_other, 30);
	owner_add_caused(b, &owner_other, 40);
	a->cgroups = 1;
	b->cgroups = 2;
	assert_ptr_equal(rename_to(a, unit("b")), b);
	assert_null(find(unit("a")));
	assert_int_equal(wait_of(b)->sum_ns, 7000);
	for (i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(wait_of(b)->bucket[i], 7 * i);
	for (i = 0; i < SWITCH_KINDS; i++)
		assert_int_equal(switches_of(b)[i], 7 * (i + 1));
	assert_int_equal(waited(b, &owner_other), 70);
	assert_int_equal(b->cgroups, 3);
}

static uint64_t *bytes_of(struct owner *owner, const char *op)
{
	static const char device[] = "sda";
	const struct family *family = &families[FAMILY_BLOCK_BYTES];
	union ledger_word *account =
		ledger_get(&owner->ledger, family->source, LEDGER_LABELS(device, op));

	return account_number(account, family, 0);
}

/* Accounts with other labels stay apart, and the merged owner's are kept though the other had none.
 */
static void test_merge_keeps_labels_apart(void **state)
{
	static const char *const ops[] = {"one", "two"};
	struct owner *a = get(unit("a")), *b = get(unit("b"));

	(void)state;
	*bytes_of(a, ops[0]) = 1;
	*bytes_of(a, ops[1]) = 2;
	*bytes_of(b, ops[1]) = 4;
	rename_to(a, unit("b"));
	assert_int_equal(*bytes_of(b, ops[0]), 1);
	assert_int_equal(*bytes_of(b, ops[1]), 6);
	assert_int_equal(b->ledger.of[SOURCE_OF_PROBE(PROBE_BLOCK)].count, 2);
	assert_int_equal(b->ledger.of[SOURCE_OF_PROBE(PROBE_SCHED)].count, 0);
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
	assert_int_equal(causes_of(victim), 1);
	assert_int_equal(causes_of(hog), 2);
	assert_int_equal(causes_of(b), 1);
}

/* What readers have seen stays under the labels that it had, and the rest goes on. */
static void test_rename_of_what_was_read(void **state)
{
	struct owner *a = get(container("0a1b", "ffff")), *victim = get(unit("victim"));
	const uint64_t id = a->id;

	(void)state;
	count_in(a, 3);
	a->cgroups = 2;
	owner_add_caused(victim, a, 100);
	owner_add_caused(a, a, 7);
	owners_mark_read(&owners, 5);
	assert_true(owner_was_read(a));
	count_again(a, 4);
	owner_add_caused(victim, a, 10);
	owner_add_caused(a, a, 1);
	assert_false(owner_was_read(a));
	assert_ptr_equal(rename_to(a, container("web-0", "nginx")), a);
	assert_int_equal(switches_of(a)[0], 4);
	assert_int_equal(wait_of(a)->sum_ns, 4000);
	assert_int_equal(waited(victim, a), 10);
	assert_int_equal(waited(a, a), 1);
	assert_true(a->id > id);
	assert_int_equal(a->since_ns, 5);
	assert_int_equal(a->cgroups, 2);
	/* Nobody has seen it under the new labels: all of it goes on. */
	assert_ptr_equal(rename_to(a, container("web-1", "nginx")), a);
	assert_int_equal(switches_of(a)[0], 4);
}

/* The other one has been read, too: what it takes over is new to the readers of its series. */
static void test_merge_of_what_was_read(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b"));

	(void)state;
	count_in(a, 3);
	count_in(b, 1);
	owners_mark_read(&owners, 5);
	count_again(a, 4);
	assert_ptr_equal(rename_to(a, unit("b")), b);
	assert_int_equal(switches_of(b)[0], 5);
	owners.refuge = get(unit("overflow"));
	owners_keep_counts(&owners, b);
	assert_int_equal(switches_of(owners.refuge)[0], 4);
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
	assert_int_equal(causes_of(b), 1);
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

/* As another cause's, the time that was seen would seem to have been waited just now. */
static void test_remove_takes_the_time(void **state)
{
	struct owner *a = get(unit("a")), *b = get(unit("b")), *c = get(unit("c"));

	(void)state;
	owner_add_caused(b, a, 1);
	owner_add_caused(b, c, 2);
	owner_add_caused(c, a, 3);
	owner_add_caused(a, a, 4);
	owner_add_caused(a, b, 5);
	owner_add_caused(b, &owner_other, 10);
	owners_mark_read(&owners, 1);
	owner_add_caused(b, a, 100);
	owners_remove(&owners, a);
	assert_null(find(unit("a")));
	assert_int_equal(waited(b, &owner_other), 10);
	assert_int_equal(waited(b, &owner_gone), 100);
	assert_int_equal(causes_of(b), 1);
	assert_int_equal(waited(b, c), 2);
	assert_int_equal(waited(c, &owner_other), 0);
	assert_int_equal(causes_of(c), 0);
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
	assert_int_equal(waited(made[19], &owner_other), 0);
	assert_int_equal(causes_of(made[19]), 1);
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
	assert_int_equal(causes_of(a), 1);
	assert_int_equal(waited(a, b), (1ULL << 40) + 1);
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
	assert_int_equal(waited(victim, cause), 10);
	assert_true(causes_add(&causes, pair, victim, cause, 12));
	assert_int_equal(waited(victim, cause), 13);
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
		TEST(test_rename_of_what_was_read),
		TEST(test_merge_of_what_was_read),
		TEST(test_merge_of_each_others_causes),
		TEST(test_merge_into_one_without_causes),
		TEST(test_remove_takes_the_time),
		TEST(test_remove_all_one_by_one),
		TEST(test_ids),
		TEST(test_joined),
		TEST(test_caused_adds_up),
		TEST(test_step_back_of_a_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
