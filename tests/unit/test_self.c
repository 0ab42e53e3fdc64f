/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "metrics/self.h"
#include "util/clock.h"

#define MIB  1048576UL

#define YEAR (UINT64_C(31556952) * NS_PER_S)

static struct wall wall;

static uint64_t value_now(enum family_id id)
{
	struct self self;

	self_read(&self, &wall);
	assert_true(self_known(&self, id));
	return self_value(&self, id);
}

static void test_all_known(void **state)
{
	struct self self;
	int id;

	(void)state;
	self_read(&self, &wall);
	for (id = 0; id < FAMILIES; id++) {
		assert_true(self_known(&self, (enum family_id)id));
		if (id >= FAMILY_PROCESS_CPU)
			assert_true(self_value(&self, (enum family_id)id) > 0);
	}
}

static void test_cpu_grows(void **state)
{
	uint64_t before = value_now(FAMILY_PROCESS_CPU);
	uint64_t until = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + 20000000;

	(void)state;
	while (clock_ns(CLOCK_PROCESS_CPUTIME_ID) < until)
		;
	assert_in_range(value_now(FAMILY_PROCESS_CPU) - before, 20000000, 10000000000);
}

static void test_memory(void **state)
{
	size_t size = 64 * MIB;
	uint64_t virtual = value_now(FAMILY_PROCESS_VIRTUAL);
	uint64_t resident = value_now(FAMILY_PROCESS_RESIDENT);
	char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(data, MAP_FAILED);
	assert_true(value_now(FAMILY_PROCESS_VIRTUAL) >= virtual + size);
	memset(data, 1, size);
	/* The kernel counts pages in batches per CPU: a little may be missing. */
	assert_true(value_now(FAMILY_PROCESS_RESIDENT) >= resident + size - 2 * MIB);
	munmap(data, size);
	assert_true(value_now(FAMILY_PROCESS_RESIDENT) < resident + size / 2);
}

static void test_fds(void **state)
{
	uint64_t before = value_now(FAMILY_PROCESS_OPEN_FDS);
	int fds[8];
	size_t i;

	(void)state;
	assert_int_equal(value_now(FAMILY_PROCESS_OPEN_FDS), before); /* its own is closed */
	for (i = 0; i < 8; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(value_now(FAMILY_PROCESS_OPEN_FDS), before + 8);
	for (i = 0; i < 8; i++)
		close(fds[i]);
	assert_int_equal(value_now(FAMILY_PROCESS_OPEN_FDS), before);
}

static void test_fd_limit(void **state)
{
	struct rlimit limit, other;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	other = limit;
	other.rlim_cur = 77;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &other), 0);
	assert_int_equal(value_now(FAMILY_PROCESS_MAX_FDS), 77);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void test_start_time(void **state)
{
	uint64_t start = value_now(FAMILY_PROCESS_START), now = clock_realtime_ns();

	(void)state;
	assert_true(start <= now + NS_PER_S);
	assert_true(start + 600 * NS_PER_S > now); /* this test has not run for 10 minutes */
	/* The clock is set: the time of the start goes with it. */
	wall_look_at(&wall, clock_boottime_ns(), clock_realtime_ns() + 56 * YEAR);
	assert_in_range(value_now(FAMILY_PROCESS_START), start + 56 * YEAR - NS_PER_S,
			start + 56 * YEAR + NS_PER_S);
}

static int setup(void **state)
{
	(void)state;
	wall = (struct wall){0};
	wall_look(&wall);
	return 0;
}

/* The command's name stands in /proc/self/stat as it is, with spaces and parentheses. */
static void test_hostile_command_name(void **state)
{
	uint64_t resident, start = value_now(FAMILY_PROCESS_START);
	char name[16];

	(void)state;
	prctl(PR_GET_NAME, name);
	assert_int_equal(prctl(PR_SET_NAME, ") R 1 (2 3) 4"), 0);
	resident = value_now(FAMILY_PROCESS_RESIDENT);
	/* To the nanosecond: a scraper takes another start for another process. */
	assert_int_equal(value_now(FAMILY_PROCESS_START), start);
	assert_in_range(resident, MIB / 2, 1024 * MIB);
	prctl(PR_SET_NAME, name);
}

/* Without file descriptors what cannot be read is unknown, not 0. */
static void test_unknown_without_fds(void **state)
{
	struct rlimit limit, none;
	struct self self;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	self_read(&self, &wall);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_false(self_known(&self, FAMILY_PROCESS_RESIDENT));
	assert_false(self_known(&self, FAMILY_PROCESS_VIRTUAL));
	assert_false(self_known(&self, FAMILY_PROCESS_START));
	/* Since 6.2 the kernel gives the number without a descriptor for each. */
	if (self_known(&self, FAMILY_PROCESS_OPEN_FDS))
		assert_true(self_value(&self, FAMILY_PROCESS_OPEN_FDS) > 0);
	assert_true(self_known(&self, FAMILY_PROCESS_CPU));
	assert_true(self_known(&self, FAMILY_PROCESS_MAX_FDS));
	assert_int_equal(self_value(&self, FAMILY_PROCESS_MAX_FDS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_known, setup),
		cmocka_unit_test_setup(test_cpu_grows, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_fds, setup),
		cmocka_unit_test_setup(test_fd_limit, setup),
		cmocka_unit_test_setup(test_start_time, setup),
		cmocka_unit_test_setup(test_hostile_command_name, setup),
		cmocka_unit_test_setup(test_unknown_without_fds, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
