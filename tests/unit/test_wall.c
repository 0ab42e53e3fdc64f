/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/clock.h"
#include "util/wall.h"

#define S    NS_PER_S
#define YEAR (UINT64_C(31556952) * S)

static struct wall wall;

static int setup(void **state)
{
	(void)state;
	wall = (struct wall){0};
	return 0;
}

/* A board that starts in 1970, is set 40 s later, and corrected once more. */
static void test_a_board_without_a_clock(void **state)
{
	(void)state;
	assert_false(wall_look_at(&wall, 10 * S, 10 * S)); /* the first look is no setting */
	assert_false(wall_look_at(&wall, 40 * S, 40 * S));
	assert_int_equal(wall_time(&wall, 20 * S), 20 * S);

	assert_true(wall_look_at(&wall, 50 * S, 56 * YEAR + 50 * S));
	assert_int_equal(wall_time(&wall, 20 * S), 56 * YEAR + 20 * S);
	assert_int_equal(wall_time_then(&wall, 20 * S), 20 * S);
	assert_int_equal(wall_time_then(&wall, 50 * S), 56 * YEAR + 50 * S);
	assert_int_equal(wall_time_then(&wall, 60 * S), 56 * YEAR + 60 * S);
	assert_int_equal(wall_time_then(&wall, 5 * S), 5 * S); /* before the first look */

	assert_true(wall_look_at(&wall, 70 * S, 56 * YEAR + 67 * S)); /* and back by 3 s */
	assert_int_equal(wall_time(&wall, 20 * S), 56 * YEAR + 17 * S);
	assert_int_equal(wall_time_then(&wall, 60 * S), 56 * YEAR + 60 * S);
	assert_int_equal(wall_time_then(&wall, 20 * S), 20 * S);
}

static void test_when_it_was_not_set(void **state)
{
	(void)state;
	assert_false(wall_ran(&wall, 10 * S, 20 * S));
	wall_look_at(&wall, 10 * S, 10 * S);
	assert_true(wall_ran(&wall, 10 * S, 20 * S));
	assert_false(wall_ran(&wall, 9 * S, 20 * S)); /* nobody looked */
	wall_look_at(&wall, 50 * S, YEAR);
	assert_true(wall_ran(&wall, 10 * S, 49 * S));
	assert_false(wall_ran(&wall, 10 * S, 49 * S + 1)); /* it may have been noticed late */
	assert_false(wall_ran(&wall, 40 * S, 60 * S));
	assert_true(wall_ran(&wall, 50 * S, 60 * S));
}

/* A time that was shown is shown the same again, however apart the clocks were read. */
static void test_no_jitter(void **state)
{
	uint64_t shown;
	int i;

	(void)state;
	wall_look_at(&wall, 10 * S, YEAR);
	shown = wall_time(&wall, 3 * S);
	for (i = 0; i < 100; i++) {
		assert_false(wall_look_at(&wall, (11 + (uint64_t)i) * S,
					  YEAR + (1 + (uint64_t)i) * S + (uint64_t)i * 9999));
		assert_int_equal(wall_time(&wall, 3 * S), shown);
	}
	/* Steps too small to be seen add up to one that is. */
	assert_true(wall_look_at(&wall, 200 * S, YEAR + 190 * S + 1000000));
	assert_int_equal(wall_time(&wall, 3 * S), shown + 1000000);
}

/* An unknown time stays unknown. Many settings push out the first one. */
static void test_bounds(void **state)
{
	uint64_t i;

	(void)state;
	assert_int_equal(wall_time(&wall, S), 0);
	assert_int_equal(wall_time_then(&wall, S), 0);
	for (i = 0; i < 2 * WALL_SETTINGS; i++)
		wall_look_at(&wall, (i + 1) * S, (i + 1) * S + i * YEAR);
	assert_int_equal(wall.count, WALL_SETTINGS);
	assert_int_equal(wall_time(&wall, 0), 0);
	assert_int_equal(wall_time_then(&wall, 0), 0);
	assert_int_equal(wall_time(&wall, S), S + (2 * WALL_SETTINGS - 1) * YEAR);
	assert_int_equal(wall_time_then(&wall, S), S + WALL_SETTINGS * YEAR);
	assert_int_equal(wall_time_then(&wall, (2 * WALL_SETTINGS - 1) * S),
			 (2 * WALL_SETTINGS - 1) * S + (2 * WALL_SETTINGS - 2) * YEAR);
}

/* The clocks of this machine; setting them is for tests/vm/inside. */
static void test_the_clocks(void **state)
{
	int fd = wall_open_fd();
	struct pollfd in = {.fd = fd, .events = POLLIN};
	int64_t off;

	(void)state;
	assert_true(fd >= 0);
	wall_look(&wall);
	off = (int64_t)(wall_time(&wall, clock_boottime_ns()) - clock_realtime_ns());
	assert_true(off < (int64_t)S && off > -(int64_t)S);
	assert_int_equal(poll(&in, 1, 0), 0);
	wall_clear_fd(fd);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_board_without_a_clock),
		TEST(test_when_it_was_not_set),
		TEST(test_no_jitter),
		TEST(test_bounds),
		TEST(test_the_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
