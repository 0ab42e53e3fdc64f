/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bramble/growth.h"

static void test_growth(void **state)
{
	(void)state;
	assert_int_equal(grown(10, 3), 7);
	assert_int_equal(grown(3, 3), 0);
	assert_int_equal(grown(2, 3), 0); /* 2^64 - 1 is 584 years */
	assert_int_equal(grown(0, UINT64_MAX), 0);
	assert_int_equal(grown(UINT64_MAX, 0), UINT64_MAX);
}

/* A number of 32 bits may wrap, and may step back: the nearer one is meant. */
static void test_growth_of_32_bits(void **state)
{
	(void)state;
	assert_int_equal(grown32(10, 3), 7);
	assert_int_equal(grown32(90, UINT32_MAX - 9), 100);
	assert_int_equal(grown32(0, UINT32_MAX), 1);
	assert_int_equal(grown32(2, 3), 0);
	assert_int_equal(grown32(UINT32_MAX, 0), 0);
	assert_int_equal(grown32(UINT32_MAX / 2, 0), UINT32_MAX / 2);
	assert_int_equal(grown32(UINT32_MAX / 2 + 1, 0), 0);
}

static void test_not_lower(void **state)
{
	(void)state;
	assert_int_equal(not_lower(10, 3, 5), 10);
	assert_int_equal(not_lower(9, 10, 5), 10);
	assert_int_equal(not_lower(5, 10, 5), 10);
	assert_int_equal(not_lower(4, 10, 5), 4);
	assert_int_equal(not_lower(0, 0, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_growth_of_32_bits),
		cmocka_unit_test(test_not_lower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
