/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What bramble report reads of a machine, without measuring anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/board.h"
#include "report/cost.h"
#include "report/tasks.h"
#include "tree.h"

static int setup(void **state)
{
	(void)state;
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

/* Of a task: in a process, in a cgroup, and how long it has waited. */
static void put_task(int process, int task, const char *cgroup, unsigned long long delay_ns)
{
	char path[64], text[128];

	snprintf(path, sizeof(path), "%d/cgroup", process);
	snprintf(text, sizeof(text), "4:memory:/x\n0::%s\n", cgroup);
	tree_put(path, text);
	snprintf(path, sizeof(path), "%d/task/%d/schedstat", process, task);
	snprintf(text, sizeof(text), "123456 %llu 42\n", delay_ns);
	tree_put(path, text);
}

static void waits_of_the_own_cgroup_alone_are_added_up(void **state)
{
	uint64_t ns = 1;

	(void)state;
	tree_put("self/cgroup", "4:memory:/x\n0::/bramble-report-7\n");
	tree_put("self/schedstat", "1 2 3\n");
	put_task(7, 7, "/bramble-report-7", 1000);
	put_task(7, 8, "/bramble-report-7", 20000);
	put_task(9, 9, "/bramble-report-7", 300000);
	put_task(10, 10, "/bramble-report-77", 5000000);
	put_task(11, 11, "/", 5000000);
	tree_put("uptime", "1 2\n");
	assert_int_equal(tasks_run_delay(tree_root, &ns), 0);
	assert_int_equal(ns, 321000);
}

static void a_kernel_without_schedstat_is_told(void **state)
{
	uint64_t ns;

	(void)state;
	tree_put("self/cgroup", "0::/a\n");
	assert_int_equal(tasks_run_delay(tree_root, &ns), -EOPNOTSUPP);
}

static void no_cgroup_v2_is_told(void **state)
{
	uint64_t ns;

	(void)state;
	tree_put("self/cgroup", "4:memory:/x\n");
	tree_put("self/schedstat", "1 2 3\n");
	assert_int_equal(tasks_run_delay(tree_root, &ns), -ENOENT);
}

/* Seen on a busy node: without a probe, switches took longer than with it. */
static void a_cost_that_may_be_chance_is_not_compared(void **state)
{
	const struct cost idle = {
		.floor = 404, .floor_low = 390, .bramble = 769, .bramble_low = 750};
	const struct cost busy = {
		.floor = 535, .floor_low = -1169, .bramble = -271, .bramble_low = -3898};
	const struct cost probe_busy = {
		.floor = 404, .floor_low = 390, .bramble = 769, .bramble_low = -1};

	(void)state;
	assert_true(cost_is_steady(&idle));
	assert_false(cost_is_steady(&busy));
	assert_false(cost_is_steady(&probe_busy));
}

/* Prints the board of the tree. The caller frees it. */
static char *print_board(void)
{
	struct board board;
	size_t len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	board_read(tree_root, &board);
	board_print(&board, tree_root, tree_root, out);
	fclose(out);
	return text;
}

static void a_board_is_named_and_its_owner_is_not(void **state)
{
	char *text;

	(void)state;
	tree_put("device-tree/model", "Raspberry Pi 5 Model B Rev 1.0");
	tree_put("meminfo", "MemTotal:        8257088 kB\nMemFree: 1 kB\n");
	tree_put("cmdline", "root=PARTUUID=deadbeef-02 psi=1 ip=10.1.2.3::10.1.2.1:24:sesame "
			    "cgroup_disable=memory nosuch.psi=1\n");
	tree_put("devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n");
	text = print_board();
	assert_non_null(strstr(text, "- board: Raspberry Pi 5 Model B Rev 1.0\n"));
	assert_non_null(strstr(text, "- memory: MemTotal:        8257088 kB\n"));
	assert_non_null(strstr(text, "- started with: psi=1\n"));
	assert_non_null(strstr(text, "- started with: cgroup_disable=memory\n"));
	assert_non_null(strstr(text, "- governor: ondemand\n"));
	assert_null(strstr(text, "deadbeef"));
	assert_null(strstr(text, "sesame"));
	assert_null(strstr(text, "nosuch"));
	assert_null(strstr(text, "clock"));
	free(text);
}

static void another_machine_has_no_board(void **state)
{
	char *text = print_board();

	(void)state;
	assert_non_null(strstr(text, "- board: not known\n"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_of_the_own_cgroup_alone_are_added_up),
		TEST(a_kernel_without_schedstat_is_told),
		TEST(no_cgroup_v2_is_told),
		cmocka_unit_test(a_cost_that_may_be_chance_is_not_compared),
		TEST(a_board_is_named_and_its_owner_is_not),
		TEST(another_machine_has_no_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
