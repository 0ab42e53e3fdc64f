/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the time of tasks goes, and how many tasks there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/tasks.h"
#include "metrics/owners.h"

static struct owner owner;
static struct probe_times now, before;

static int setup(void **state)
{
	(void)state;
	memset(&owner, 0, sizeof(owner));
	memset(&now, 0, sizeof(now));
	memset(&before, 0, sizeof(before));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_free(&owner.ledger);
	return 0;
}

/* So many tasks more are there from at_ns on, by the probe's events. */
static void come(uint64_t at_ns, int tasks)
{
	now.tasks += (uint64_t)tasks;
	now.at_ns += (uint64_t)tasks * at_ns;
	now.changes++;
}

static void take(void)
{
	times_add(&owner.times, &now, &before);
	before = now;
}

static uint64_t shown(enum time_state which)
{
	union ledger_word *account = ledger_find(&owner.ledger, SOURCE_TIMES, NULL);

	return account ? *account_number(account, &families[FAMILY_TASK_SECONDS], which) : 0;
}

static uint64_t all_shown(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < TIME_STATES; i++)
		sum += shown((enum time_state)i);
	return sum;
}

/* Sleep is what is left. */
static void test_adds_up(void **state)
{
	(void)state;
	owner.times.counted = true;
	come(1000, 1);
	come(1500, 1);
	now.ns[TIME_RUNNING] = 300;
	now.ns[TIME_DISK] = 40;
	take();
	owner.times.under_way[TIME_RUNNABLE] = 60;
	assert_true(times_show(&owner, 2000));
	assert_int_equal(shown(TIME_RUNNING), 300);
	assert_int_equal(shown(TIME_RUNNABLE), 60);
	assert_int_equal(shown(TIME_DISK), 40);
	assert_int_equal(shown(TIME_SLEEP), 1000 + 500 - 400);
	come(2500, -1);
	take();
	owner.times.under_way[TIME_RUNNABLE] = 0;
	now.ns[TIME_RUNNABLE] = 60;
	take();
	times_show(&owner, 3000);
	assert_int_equal(all_shown(), 2000 + 1500 - 500);
	times_show(&owner, 4000);
	assert_int_equal(all_shown(), 4000);
}

/* A wait ended between two steps of a reading. It was sleep for a moment, and is not shown twice.
 */
static void test_does_not_fall(void **state)
{
	(void)state;
	owner.times.counted = true;
	come(1000, 1);
	take();
	owner.times.under_way[TIME_RUNNABLE] = 0; /* missed: 500 */
	times_show(&owner, 2000);
	assert_int_equal(shown(TIME_SLEEP), 1000);
	now.ns[TIME_RUNNABLE] = 500;
	take();
	times_show(&owner, 2100);
	assert_int_equal(shown(TIME_RUNNABLE), 500);
	assert_int_equal(shown(TIME_SLEEP), 1000);
	times_show(&owner, 3000);
	assert_int_equal(all_shown(), 2000);
}

/* What was before it was known how many tasks there are is not shown. */
static void test_begins_late(void **state)
{
	(void)state;
	come(1000, -1); /* a task that was there exits */
	now.ns[TIME_RUNNING] = 700;
	take();
	times_show(&owner, 2000);
	assert_int_equal(all_shown(), 0);
	times_add_tasks(&owner.times, 2000, 3 - (int64_t)owner.times.sum.tasks);
	times_begin(&owner.times, 2000);
	times_show(&owner, 2000);
	assert_int_equal(all_shown(), 0);
	now.ns[TIME_RUNNING] += 100;
	take();
	times_show(&owner, 2500);
	assert_int_equal(shown(TIME_RUNNING), 100);
	assert_int_equal(all_shown(), 3 * 500);
}

/* Two owners turn out to be one. */
static void test_merge(void **state)
{
	struct task_times other = {.counted = true};

	(void)state;
	owner.times.counted = true;
	come(1000, 1);
	take();
	times_show(&owner, 2000);
	other.sum.tasks = 2;
	other.sum.at_ns = 2 * 1500;
	other.shown[TIME_SLEEP] = 2 * 500; /* by 2000, in its ledger */
	times_merge(&owner.times, &other);
	times_show(&owner, 3000);
	assert_int_equal(all_shown(), 1000 + 3 * 1000);
}

/* ---------------------------------------------------------------- the files of cgroups */

static char root[] = "/tmp/bramble-test-times-XXXXXX";

static void make(const char *name, int tasks)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/cgroup.threads");
	file = fopen(path, "w");
	while (tasks--)
		fprintf(file, "%d\n", 1000000 + tasks);
	fclose(file);
}

static void test_count_tasks(void **state)
{
	char command[64], name[32];
	int i;

	(void)state;
	assert_non_null(mkdtemp(root));
	make("/a", 3);
	assert_int_equal(cgroup_count_tasks(root, "/a"), 3);
	make("/a/b", 4000); /* more than one read */
	make("/a/b/c", 1);
	make("/a/d", 0);
	assert_int_equal(cgroup_count_tasks(root, "/a"), 4004);
	assert_int_equal(cgroup_count_tasks(root, "/gone"), 0);
	make("/many", CGROUP_TASKS_MAX);
	assert_true(cgroup_count_tasks(root, "/many") < 0);
	for (i = 0; i < CGROUP_TASKS_CGROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "/a/d/%d", i);
		make(name, 1);
	}
	assert_true(cgroup_count_tasks(root, "/a") < 0);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_adds_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_does_not_fall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_begins_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
		cmocka_unit_test(test_count_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
