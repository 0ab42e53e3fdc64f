/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup/files.h"
#include "cgroup/mount.h"
#include "tree.h"
#include "util/array.h"
#include "util/openfiles.h"
#include "util/clock.h"
#include "own_mounts.h"
#include "skip.h"

#define MINUTE (60 * NS_PER_S)

static struct cgroup_reader reader;
static struct cgroup_values values;

static int set_up(void **state)
{
	(void)state;
	tree_make();
	cgroup_reader_init(&reader, tree_root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(reader.fds, 0);
	return tree_remove("");
}

static void assert_value(enum cgroup_value which, uint64_t value)
{
	assert_true(cgroup_value_known(&values, which));
	assert_int_equal(values.value[which], value);
}

static void assert_unknown(enum cgroup_value which)
{
	assert_false(cgroup_value_known(&values, which));
}

/* What 6.12 writes for a container with a CPU and a memory limit. */
static void write_all(const char *dir)
{
	static const char *const files[][2] = {
		{"cpu.stat", "usage_usec 5012345\nuser_usec 4000000\nsystem_usec 1012345\n"
			     "nice_usec 0\ncore_sched.force_idle_usec 0\nnr_periods 120\n"
			     "nr_throttled 60\nthrottled_usec 3000001\nnr_bursts 0\n"
			     "burst_usec 0\n"},
		{"memory.current", "73400320\n"},
		{"memory.stat", "anon 8192\nfile 60817408\nkernel 1234944\nactive_anon 4096\n"
				"inactive_anon 8192\nactive_file 50331648\n"
				"inactive_file 10485760\nunevictable 0\n"},
		{"memory.max", "134217728\n"},
		{"memory.events", "low 0\nhigh 7\nmax 42\noom 3\noom_kill 2\noom_group_kill 0\n"},
		{"cpu.pressure", "some avg10=1.00 avg60=2.00 avg300=3.00 total=123456\n"
				 "full avg10=0.00 avg60=0.00 avg300=0.00 total=23456\n"},
		{"memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=11\n"
				    "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"},
		{"io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=987654321\n"
				"full avg10=0.00 avg60=0.00 avg300=0.00 total=887654321\n"},
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i][0]);
		tree_put(path, files[i][1]);
	}
}

static void test_all(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/kubepods/pod1");

	(void)state;
	write_all("kubepods/pod1");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_value(CGROUP_CPU_USAGE, 5012345000);
	assert_value(CGROUP_CPU_PERIODS, 120);
	assert_value(CGROUP_CPU_THROTTLED_PERIODS, 60);
	assert_value(CGROUP_CPU_THROTTLED, 3000001000);
	assert_value(CGROUP_MEMORY_WORKING_SET, 73400320 - 10485760);
	assert_value(CGROUP_MEMORY_LIMIT, 134217728);
	assert_value(CGROUP_MEMORY_EVENTS_HIGH, 7);
	assert_value(CGROUP_MEMORY_EVENTS_MAX, 42);
	assert_value(CGROUP_MEMORY_EVENTS_OOM, 3);
	assert_value(CGROUP_MEMORY_EVENTS_OOM_KILL, 2);
	assert_value(PRESSURE_VALUE(PRESSURE_CPU, PRESSURE_SOME), 123456000);
	assert_value(PRESSURE_VALUE(PRESSURE_CPU, PRESSURE_FULL), 23456000);
	assert_value(PRESSURE_VALUE(PRESSURE_MEMORY, PRESSURE_SOME), 11000);
	assert_value(PRESSURE_VALUE(PRESSURE_MEMORY, PRESSURE_FULL), 7000);
	assert_value(PRESSURE_VALUE(PRESSURE_IO, PRESSURE_SOME), 987654321000);
	assert_value(PRESSURE_VALUE(PRESSURE_IO, PRESSURE_FULL), 887654321000);
	assert_int_equal(reader.fds, CGROUP_FILES);
	cgroup_files_close(&reader, files);
}

/* A Raspberry Pi as delivered: no memory controller, no PSI, the cpu controller not in use. */
static void test_cpu_stat_alone(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");
	int i;

	(void)state;
	tree_put("a/cpu.stat", "usage_usec 51\nuser_usec 50\nsystem_usec 1\n");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_value(CGROUP_CPU_USAGE, 51000);
	for (i = CGROUP_CPU_USAGE + 1; i < CGROUP_VALUES; i++)
		assert_unknown((enum cgroup_value)i);
	assert_int_equal(reader.fds, 1);
	cgroup_files_close(&reader, files);
}

static void test_no_limit(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");

	(void)state;
	write_all("a");
	tree_put("a/memory.max", "max\n");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_unknown(CGROUP_MEMORY_LIMIT);
	assert_value(CGROUP_MEMORY_WORKING_SET, 73400320 - 10485760);
	cgroup_files_close(&reader, files);
}

/* The two files are read one after the other, so more may be inactive than is used. */
static void test_working_set(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");

	(void)state;
	write_all("a");
	tree_put("a/memory.current", "10485759\n");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_value(CGROUP_MEMORY_WORKING_SET, 0);

	tree_put("a/memory.stat", "anon 8192\nfile 60817408\n");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_unknown(CGROUP_MEMORY_WORKING_SET);
	cgroup_files_close(&reader, files);
}

static void test_read_anew(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");

	(void)state;
	tree_put("a/cpu.stat", "usage_usec 1\n");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	tree_put("a/cpu.stat", "usage_usec 2\n");
	assert_int_equal(cgroup_files_read(&reader, files, 2, &values), 0);
	assert_value(CGROUP_CPU_USAGE, 2000);
	cgroup_files_close(&reader, files);
}

/* A controller that is turned on later is found within a minute. */
static void test_later(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");

	(void)state;
	tree_put("a/cpu.stat", "usage_usec 1\n");
	assert_int_equal(cgroup_files_read(&reader, files, MINUTE, &values), 0);
	write_all("a");
	assert_int_equal(cgroup_files_read(&reader, files, 2 * MINUTE - 1, &values), 0);
	assert_unknown(CGROUP_MEMORY_LIMIT);
	assert_int_equal(cgroup_files_read(&reader, files, 2 * MINUTE, &values), 0);
	assert_value(CGROUP_MEMORY_LIMIT, 134217728);
	cgroup_files_close(&reader, files);
}

static void test_gone(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/never");

	(void)state;
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), -ENOENT);
	assert_int_equal(values.known, 0);
	cgroup_files_close(&reader, files);
	cgroup_files_close(&reader, NULL);
}

/* With no descriptors to keep, all is read the same. */
static void test_few_descriptors(void **state)
{
	struct cgroup_files *files = cgroup_files_open(&reader, "/a");
	struct cgroup_files *others = cgroup_files_open(&reader, "/b");
	struct cgroup_values first;

	(void)state;
	reader.fds_max = 3;
	write_all("a");
	write_all("b");
	assert_int_equal(cgroup_files_read(&reader, files, 1, &first), 0);
	assert_int_equal(cgroup_files_read(&reader, others, 1, &values), 0);
	assert_int_equal(reader.fds, 3);
	assert_memory_equal(&first, &values, sizeof(values));
	assert_int_equal(cgroup_files_read(&reader, files, 2, &values), 0);
	assert_memory_equal(&first, &values, sizeof(values));
	cgroup_files_close(&reader, files);
	assert_int_equal(cgroup_files_read(&reader, others, 2, &values), 0);
	assert_int_equal(reader.fds, 3);
	cgroup_files_close(&reader, others);
}

/* The soft limit is raised, the hard one is left, and some are left for all else. */
static void test_limit(void **state)
{
	struct rlimit before, low, now;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	open_files_raise();
	cgroup_reader_init(&reader, tree_root);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(open_files_limit(), now.rlim_cur);
	assert_int_equal(now.rlim_max, before.rlim_max);
	assert_true(now.rlim_cur >= before.rlim_max || now.rlim_cur > 1024);
	assert_int_equal(reader.fds_max, now.rlim_cur > 256 ? now.rlim_cur - 256 : 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Each open file costs a page of the kernel's memory, which may be large. */
static void test_kept_bytes_are_bounded(void **state)
{
	struct rlimit before, many;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	many = (struct rlimit){.rlim_cur = before.rlim_max, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &many), 0);
	cgroup_reader_init(&reader, tree_root);
	assert_true(reader.fds_max > 0);
	assert_true((unsigned long)reader.fds_max * (unsigned long)sysconf(_SC_PAGESIZE) <=
		    8UL << 20);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* A real cgroup: its files are read correctly, and its end is reported. */
static void test_real(void **state)
{
	struct mounts mounts;
	struct cgroup_files *files;
	char path[PATH_MAX + 64], name[64];

	(void)state;
	own_mounts_find(&mounts);
	if (mounts.cgroup2_err)
		skip_because("cgroup v2 is not mounted and cannot be");
	snprintf(name, sizeof(name), "/bramble-test-files-%d", getpid());
	snprintf(path, sizeof(path), "%s%s", mounts.cgroup2.path, name);
	if (mkdir(path, 0755))
		skip_because("making a cgroup takes root");
	cgroup_reader_init(&reader, mounts.cgroup2.path);
	files = cgroup_files_open(&reader, name);
	assert_int_equal(cgroup_files_read(&reader, files, 1, &values), 0);
	assert_value(CGROUP_CPU_USAGE, 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(cgroup_files_read(&reader, files, 2, &values), -ENODEV);
	assert_int_equal(values.known, 0);
	cgroup_files_close(&reader, files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cpu_stat_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_working_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_few_descriptors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept_bytes_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_real, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
