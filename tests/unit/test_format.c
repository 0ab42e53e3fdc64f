/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Numbers as they are read: short, and not far from the value. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diagnose/format.h"

#define CHECK_FORMAT(function, value, expected)                                                    \
	do {                                                                                       \
		char text[FORMAT_SIZE];                                                            \
		function(text, value);                                                             \
		assert_string_equal(text, expected);                                               \
	} while (0)

static void test_numbers(void **state)
{
	(void)state;
	CHECK_FORMAT(format_seconds, 0, "-");
	CHECK_FORMAT(format_seconds, -1, "-");
	CHECK_FORMAT(format_seconds, INFINITY, ">128s");
	CHECK_FORMAT(format_seconds, 950e-9, "950ns");
	CHECK_FORMAT(format_seconds, 999.95e-9, "1.0us");
	CHECK_FORMAT(format_seconds, 9.96e-6, "10us");
	CHECK_FORMAT(format_seconds, 999.6e-6, "1.0ms");
	CHECK_FORMAT(format_seconds, 0.25, "250ms");
	CHECK_FORMAT(format_seconds, 0.9996, "1.0s");
	CHECK_FORMAT(format_seconds, 128, "128s");
	CHECK_FORMAT(format_percent, 0, "0");
	CHECK_FORMAT(format_percent, 0.0001, "<0.1");
	CHECK_FORMAT(format_percent, 0.004, "0.4");
	CHECK_FORMAT(format_percent, 0.0996, "10");
	CHECK_FORMAT(format_percent, 0.38, "38");
	CHECK_FORMAT(format_percent, 4, "400");
	CHECK_FORMAT(format_percent, 1e9, ">10^5");
	CHECK_FORMAT(format_count, 0, "0");
	CHECK_FORMAT(format_count, 0.3, "0.3");
	CHECK_FORMAT(format_count, 1, "1");
	CHECK_FORMAT(format_count, 12.4, "12");
	CHECK_FORMAT(format_count, 999.6, "1.0k");
	CHECK_FORMAT(format_count, 34000000, "34M");
	CHECK_FORMAT(format_interval, 1.001, "1 s");
	CHECK_FORMAT(format_interval, 2.5, "2.5 s");
	CHECK_FORMAT(format_interval, 0.2, "0.2 s");
	CHECK_FORMAT(format_interval, 60, "60 s");
	CHECK_FORMAT(format_interval, 600, "10 min");
}

/* In the whole range: the columns that the table gives it, and not far from the value. */
static void test_widths_of_numbers(void **state)
{
	char text[FORMAT_SIZE], *unit;
	double x, value;

	(void)state;
	for (x = 1e-9; x < 900; x *= 1.0007) {
		format_seconds(text, x);
		assert_true(strlen(text) <= 6);
		value = strtod(text, &unit);
		assert_true(value < 999.5 && value >= 1);
		value *= unit[0] == 'n' ? 1e-9 : unit[0] == 'u' ? 1e-6 : unit[0] == 'm' ? 1e-3 : 1;
		assert_true(fabs(value / x - 1) < 0.051);
	}
	for (x = 1e-5; x < 1e12; x *= 1.003) {
		format_count(text, x);
		assert_true(strlen(text) <= 5);
		format_percent(text, x);
		assert_true(strlen(text) <= 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_widths_of_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
