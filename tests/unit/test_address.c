/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cli/address.h"

static void is_one(const char *text, const char *expected)
{
	char error[256], out[ADDRESS_TEXT_MAX];
	struct address_list list;

	assert_int_equal(address_parse(text, &list, error, sizeof(error)), 0);
	assert_int_equal(list.count, 1);
	assert_false(list.any);
	address_format(&list.items[0], out);
	assert_string_equal(out, expected);
	address_list_free(&list);
	assert_int_equal(list.count, 0);
}

static void test_numeric(void **state)
{
	(void)state;
	is_one("0.0.0.0:9810", "0.0.0.0:9810");
	is_one("127.0.0.1:0", "127.0.0.1:0");
	is_one("127.0.0.1:65535", "127.0.0.1:65535");
	is_one("[::1]:9810", "[::1]:9810");
	is_one("[::]:9810", "[::]:9810");
	is_one("[2001:db8::9810]:1", "[2001:db8::9810]:1");
}

static void test_any(void **state)
{
	char error[256], out[ADDRESS_TEXT_MAX];
	struct address_list list;
	size_t i;

	(void)state;
	assert_int_equal(address_parse(":9810", &list, error, sizeof(error)), 0);
	assert_true(list.any);
	assert_in_range(list.count, 1, 2);
	for (i = 0; i < list.count; i++) {
		address_format(&list.items[i], out);
		assert_string_equal(out, i + 1 < list.count ? "[::]:9810" : "0.0.0.0:9810");
	}
	address_list_free(&list);
}

static void test_name(void **state)
{
	char error[256], out[ADDRESS_TEXT_MAX];
	struct address_list list;
	size_t i;

	(void)state;
	assert_int_equal(address_parse("localhost:9810", &list, error, sizeof(error)), 0);
	assert_false(list.any);
	assert_true(list.count >= 1);
	for (i = 0; i < list.count; i++) {
		address_format(&list.items[i], out);
		assert_true(strcmp(out, "127.0.0.1:9810") == 0 || strcmp(out, "[::1]:9810") == 0);
	}
	address_list_free(&list);
}

static void refused(const char *text, const char *reason)
{
	char error[512], expected[512];
	struct address_list list;

	snprintf(expected, sizeof(expected),
		 "address \"%s\": %s; write :9810, 127.0.0.1:9810 or [::1]:9810", text, reason);
	assert_int_equal(address_parse(text, &list, error, sizeof(error)), -EINVAL);
	assert_string_equal(error, expected);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
}

static void test_refused(void **state)
{
	static const char port[] = "the port is not a number from 0 to 65535";
	char host[400];

	(void)state;
	refused("", "there is no port");
	refused("9810", "there is no port");
	refused("localhost", "there is no port");
	refused("localhost:", port);
	refused(":65536", port);
	refused(":-1", port);
	refused(": 1", port);
	refused(":http", port);
	refused(":000080", port);
	refused("::1:9810", "an IPv6 address is written in brackets");
	refused("[::1]", port);
	refused("[::1:9810", "the bracket is not closed before the port");
	refused("[]:9810", "the bracket is not closed before the port");
	memset(host, 'x', sizeof(host));
	memcpy(host + 300, ":80", 4);
	refused(host, "the host is too long");
}

/* No name is looked up here: what is in brackets must be an address. */
static void test_unknown_host(void **state)
{
	char error[256];
	struct address_list list;

	(void)state;
	assert_int_equal(address_parse("[zz::1]:9810", &list, error, sizeof(error)),
			 -EADDRNOTAVAIL);
	assert_non_null(strstr(error, "address \"[zz::1]:9810\": zz::1: "));
	assert_null(list.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numeric),	     cmocka_unit_test(test_any),
		cmocka_unit_test(test_name),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
