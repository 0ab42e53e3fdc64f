/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diagnose/json_scan.h"

static char *text;
static struct json_scan scan;

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

/* A buffer of just its length, so that ASan sees a byte too many. */
static void begin(const char *json)
{
	free(text);
	text = strdup(json);
	assert_non_null(text);
	json_scan_begin(&scan, text, strlen(text));
}

static void check_string(const char *json, const char *expected)
{
	begin(json);
	assert_string_equal(json_scan_string(&scan), expected);
	assert_true(json_scan_at_end(&scan));
}

static void test_strings(void **state)
{
	(void)state;
	check_string("\"\"", "");
	check_string(" \"web-0\" ", "web-0");
	check_string("\"a\\\"b\\\\c\\/d\\n\\t\\b\\f\\r\"", "a\"b\\c/d\n\t\b\f\r");
	check_string("\"\\u0041\\u00e4\\u20ac\"", "A\xc3\xa4\xe2\x82\xac");
	check_string("\"\\ud83c\\udf47\"", "\xf0\x9f\x8d\x87");
	check_string("\"\\ud83cx\"", "?x"); /* half a pair */
	check_string("\"\\udf47\"", "?");   /* the other half */
	check_string("\"\\ud83c\\u0041\"", "?A");
	check_string("\"a\\u0000b\"", "a?b"); /* would end the string */
}

static void check_number(const char *json, double expected)
{
	double number;

	begin(json);
	number = json_scan_number(&scan);
	assert_true(fabs(number - expected) <= 1e-15 * fabs(expected));
	assert_true(json_scan_at_end(&scan));
}

static void test_numbers(void **state)
{
	(void)state;
	check_number("0", 0);
	check_number("-80", -80);
	check_number("1042", 1042);
	check_number("0.81", 0.81);
	check_number("-0.5", -0.5);
	check_number("5120.25", 5120.25);
	check_number("0.52345678900000003", 0.52345678900000003);
	check_number("18446744073709551615", 18446744073709551615.0);
	check_number("0.000000000000000000000001", 0); /* beyond 18 digits: no count is so small */
	check_number("1e3", 1000);
	check_number("2.5E-3", 0.0025);
}

static void test_objects_and_arrays(void **state)
{
	(void)state;
	begin("{ \"a\" : [ 1 , 2,[]], \"b\":{}, \"c\":true,\"d\":null, \"e\":false }");
	assert_true(json_scan_enter(&scan, JSON_KIND_OBJECT));
	assert_string_equal(json_scan_next_key(&scan), "a");
	assert_true(json_scan_enter(&scan, JSON_KIND_ARRAY));
	assert_true(json_scan_next_item(&scan));
	assert_true(json_scan_number(&scan) == 1);
	assert_true(json_scan_next_item(&scan));
	assert_true(json_scan_number(&scan) == 2);
	assert_true(json_scan_next_item(&scan));
	assert_true(json_scan_enter(&scan, JSON_KIND_ARRAY));
	assert_false(json_scan_next_item(&scan));
	assert_false(json_scan_next_item(&scan));
	assert_string_equal(json_scan_next_key(&scan), "b");
	assert_true(json_scan_enter(&scan, JSON_KIND_OBJECT));
	assert_null(json_scan_next_key(&scan));
	assert_string_equal(json_scan_next_key(&scan), "c");
	assert_true(json_scan_true(&scan));
	assert_string_equal(json_scan_next_key(&scan), "d");
	assert_false(json_scan_true(&scan));
	assert_string_equal(json_scan_next_key(&scan), "e");
	assert_false(json_scan_true(&scan));
	assert_null(json_scan_next_key(&scan));
	assert_true(json_scan_at_end(&scan));
}

/* A value of another kind than is asked for is passed over. */
static void test_other_kinds(void **state)
{
	(void)state;
	begin("[\"x\", 7, {\"a\": [\"]\", \"\\\"}\"]}, 3]");
	assert_true(json_scan_enter(&scan, JSON_KIND_ARRAY));
	assert_true(json_scan_next_item(&scan));
	assert_true(json_scan_number(&scan) == 0);
	assert_true(json_scan_next_item(&scan));
	assert_string_equal(json_scan_string(&scan), "");
	assert_true(json_scan_next_item(&scan));
	assert_false(json_scan_enter(&scan, JSON_KIND_ARRAY));
	assert_true(json_scan_next_item(&scan));
	assert_true(json_scan_number(&scan) == 3);
	assert_false(json_scan_next_item(&scan));
	assert_true(json_scan_at_end(&scan));
}

static void check_wrong(const char *json)
{
	begin(json);
	json_scan_skip(&scan);
	assert_false(json_scan_at_end(&scan));
}

static void test_what_is_wrong(void **state)
{
	char deep[300];

	(void)state;
	check_wrong("");
	check_wrong("[");
	check_wrong("[1,2");
	check_wrong("\"abc");
	check_wrong("\"abc\\");
	check_wrong("tru");
	check_wrong("x");
	check_wrong("]");
	check_wrong("1 2");
	check_wrong("-");
	check_wrong("-e5"); /* nor may it stand still there */
	check_wrong("[-e5]");
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	check_wrong(deep);
	/* Read, not skipped. */
	begin("{\"a\" 1}");
	assert_true(json_scan_enter(&scan, JSON_KIND_OBJECT));
	assert_null(json_scan_next_key(&scan));
	assert_true(scan.failed);
	begin("[1 2]");
	assert_true(json_scan_enter(&scan, JSON_KIND_ARRAY));
	assert_true(json_scan_next_item(&scan));
	json_scan_number(&scan);
	assert_false(json_scan_next_item(&scan));
	assert_true(scan.failed);
	begin("\"\\x\"");
	assert_string_equal(json_scan_string(&scan), "");
	assert_true(scan.failed);
	begin("\"\\u12g4\"");
	assert_string_equal(json_scan_string(&scan), "");
	assert_true(scan.failed);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_strings),	TEST(test_numbers),	  TEST(test_objects_and_arrays),
		TEST(test_other_kinds), TEST(test_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
