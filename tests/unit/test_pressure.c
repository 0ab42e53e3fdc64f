/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/pressure.h"

#define CPUS 4

static struct probe_pressure before[CPUS];
static uint64_t some_ns[PRESSURE_RESOURCES];

static int setup(void **state)
{
	(void)state;
	memset(before, 0, sizeof(before));
	memset(some_ns, 0, sizeof(some_ns));
	return 0;
}

static void test_idle(void **state)
{
	struct probe_pressure now[CPUS] = {{{0}, 0}};

	(void)state;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 0);
}

/* With one CPU, it is the time of the waits there. */
static void test_one_cpu(void **state)
{
	struct probe_pressure now[CPUS] = {
		[2] = {.some_ns = {[PRESSURE_CPU] = 700}, .needed_ns = 1000}};

	(void)state;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 700);
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 700);
	now[2].some_ns[PRESSURE_CPU] += 5;
	now[2].needed_ns += 50;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 705);
}

/* Two tasks that both wait all the time, each on its CPU, wait no longer than the time that passed.
 */
static void test_all_cpus(void **state)
{
	struct probe_pressure now[CPUS] = {{{1000}, 1000}, {{1000}, 1000}};

	(void)state;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 1000);
}

/* A CPU that was hardly needed counts little. */
static void test_weights(void **state)
{
	struct probe_pressure now[CPUS] = {{{600}, 900}, {{0}, 90}, {{10}, 10}};

	(void)state;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], (600 * 900 + 10 * 10) / 1000);
}

static void test_resources(void **state)
{
	struct probe_pressure now[CPUS] = {
		{.some_ns = {[PRESSURE_MEMORY] = 100, [PRESSURE_IO] = 300}, .needed_ns = 500},
		{.some_ns = {[PRESSURE_IO] = 500}, .needed_ns = 500},
	};

	(void)state;
	pressure_add_growth(now, before, CPUS, some_ns);
	assert_int_equal(some_ns[PRESSURE_CPU], 0);
	assert_int_equal(some_ns[PRESSURE_MEMORY], 50);
	assert_int_equal(some_ns[PRESSURE_IO], 400);
}

/* Two CPUs that write one number may lose an addition: that is no time, and not 584 years. */
static void test_step_back(void **state)
{
	struct probe_pressure now[CPUS] = {
		{.some_ns = {[PRESSURE_IO] = 500}, .needed_ns = 500},
		{.some_ns = {[PRESSURE_IO] = 500}, .needed_ns = 500},
	};

	(void)state;
	assert_int_equal(pressure_add_growth(now, before, CPUS, some_ns), 0);
	assert_int_equal(some_ns[PRESSURE_IO], 500);
	now[0].some_ns[PRESSURE_IO] -= 1;
	now[0].needed_ns -= 1;
	assert_int_equal(pressure_add_growth(now, before, CPUS, some_ns), 1);
	assert_int_equal(some_ns[PRESSURE_IO], 500);
	now[0].some_ns[PRESSURE_IO] -= 1;
	now[0].needed_ns += 99; /* it ran meanwhile */
	assert_int_equal(pressure_add_growth(now, before, CPUS, some_ns), 1);
	assert_int_equal(some_ns[PRESSURE_IO], 500);
	now[0].some_ns[PRESSURE_IO] += 50; /* it grows from there on */
	now[0].needed_ns += 50;
	assert_int_equal(pressure_add_growth(now, before, CPUS, some_ns), 0);
	assert_int_equal(some_ns[PRESSURE_IO], 550);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_idle, setup),
		cmocka_unit_test_setup(test_one_cpu, setup),
		cmocka_unit_test_setup(test_all_cpus, setup),
		cmocka_unit_test_setup(test_weights, setup),
		cmocka_unit_test_setup(test_resources, setup),
		cmocka_unit_test_setup(test_step_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
