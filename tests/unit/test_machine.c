/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is wrong with the machine, on a recorded Pi whose file systems are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <cmocka.h>

#include "diagnose/machine.h"
#include "util/log.h"

#define PI4 "tests/unit/data/nodes/pi4"
#define PI3 "tests/unit/data/nodes/pi3"

static struct statvfs root, var;
static struct node *node;
static struct machine machine;

/* The file systems are seen through the root directory of the first process. */
int statvfs(const char *path, struct statvfs *stat)
{
	*stat = strstr(path, "/var") || strstr(path, "/boot") ? var : root;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	root = var = (struct statvfs){.f_frsize = 4096,
				      .f_blocks = 1000000,
				      .f_bavail = 200000,
				      .f_files = 100000,
				      .f_ffree = 50000};
	machine = (struct machine){0};
	node = node_open(PI4 "/proc", PI4 "/sys", NULL);
	return node ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	node_close(node);
	return 0;
}

static void look(void)
{
	node_read(node);
	machine_look(&machine, node);
}

static bool has(enum cause cause, const char *where)
{
	size_t i;

	for (i = 0; i < machine.count; i++)
		if (machine.states[i].cause == cause && strcmp(machine.states[i].where, where) == 0)
			return true;
	return false;
}

/* This Pi's voltage is as it must be, and it is not hot. */
static void test_nothing_is_wrong(void **state)
{
	(void)state;
	look();
	assert_int_equal(machine.count, 0);
}

/* The one of the first recording has neither. */
static void test_voltage_and_heat(void **state)
{
	(void)state;
	node_close(node);
	node = node_open(PI3 "/proc", PI3 "/sys", NULL);
	assert_non_null(node);
	look();
	assert_true(has(CAUSE_UNDER_VOLTAGE, ""));
	assert_true(has(CAUSE_HEAT, ""));
	assert_int_equal(machine.count, 2);
}

static void test_disks(void **state)
{
	(void)state;
	root.f_bavail = 99999;
	root.f_ffree = 4999;
	look();
	assert_true(has(CAUSE_DISK_FULL, "/"));
	assert_true(has(CAUSE_NO_INODES, "/"));
	root.f_bavail = 100001;
	root.f_ffree = 5001;
	look();
	assert_false(has(CAUSE_DISK_FULL, "/"));
	assert_false(has(CAUSE_NO_INODES, "/"));
	root.f_files = 0; /* not a fixed number, as on btrfs */
	root.f_ffree = 0;
	look();
	assert_int_equal(machine.count, 0);
}

/* A root that cannot be written to is one that became so. */
static void test_read_only(void **state)
{
	(void)state;
	root.f_flag = ST_RDONLY;
	look();
	assert_false(has(CAUSE_READ_ONLY, "/"));
	root.f_flag = 0;
	look();
	root.f_flag = ST_RDONLY;
	look();
	assert_true(has(CAUSE_READ_ONLY, "/"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_wrong),
		TEST(test_voltage_and_heat),
		TEST(test_disks),
		TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
