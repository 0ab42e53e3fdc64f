/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Expressions that users write: the bounds keep the C library from taking all memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/array.h"
#include "util/pattern.h"

static char reason[256];

/* Compiles an expression that is valid, and matches a text with it. */
static bool matches(const char *expression, const char *text)
{
	regex_t regex;
	bool match;

	print_message("%s\n", expression);
	assert_int_equal(pattern_compile(&regex, expression, reason, sizeof(reason)), 0);
	match = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return match;
}

static void is_refused(const char *expression, const char *why)
{
	regex_t regex;

	print_message("%.60s\n", expression);
	memset(reason, 0, sizeof(reason));
	assert_int_equal(pattern_compile(&regex, expression, reason, sizeof(reason)), -EINVAL);
	if (!strstr(reason, why))
		fail_msg("\"%s\" does not say \"%s\"", reason, why);
}

static void test_taken(void **state)
{
	(void)state;
	assert_true(matches("", "web"));
	assert_true(matches("^(bramble_cpu_.*|bramble_io_.*)$", "bramble_cpu_wait"));
	assert_false(matches("^(bramble_cpu_.*|bramble_io_.*)$", "bramble_tcp"));
	assert_true(matches("^a{3}$", "aaa"));
	assert_true(matches("^a{0}b$", "b"));
	assert_true(matches("^(a{1,20}){1,40}$", "aaaa"));
	assert_true(matches("^a{,5}$", "aaaaa"));
	assert_true(matches("^a{2,}$", "aaaaa"));
	assert_true(matches("a{0,1000}", "web"));
	/* These braces and brackets are characters. */
	assert_true(matches("^[]{(]{1,200}$", "](("));
	assert_true(matches("^[[:digit:]{]{80}[^]]*$|^x$", "x"));
	assert_true(matches("^\\(\\{$", "({"));
	assert_true(matches("^\\\\$", "\\"));
}

/* Each of these took gigabytes, hours or all of the stack. */
static void test_too_large(void **state)
{
	static const char *const repeats[] = {
		"((((a{1,200}){1,200}){1,200}){1,200}",
		"((((a{1,200}){1,200}){1,200}){1,200})",
		"((a{200}){200})",
		"a{200}{200}",
		"(a*){1,1000}",
		"([[:alpha:]]{100}|b){20}",
		"a{32767}",
		"a{1002}",
		"(a{1,}){1000}",
		"(abc|d{3}){,300}",
		"[]a](\\(b){400}",
		"a{99999999999999999999}",
	};
	char *text = malloc(PATTERN_MAX + 2);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(repeats); i++)
		is_refused(repeats[i], "write smaller numbers in the braces");

	assert_non_null(text);
	memset(text, '(', PATTERN_DEPTH_MAX + 1);
	strcpy(text + PATTERN_DEPTH_MAX + 1, "a");
	is_refused(text, "more than 50 parentheses are nested");
	memset(text, 'a', PATTERN_MAX + 1);
	text[PATTERN_MAX + 1] = '\0';
	is_refused(text, "longer than 4096 bytes");
	text[PATTERN_MAX] = '\0';
	assert_false(matches(text, "a"));
	free(text);
}

static void test_wrong(void **state)
{
	(void)state;
	is_refused("(", "not a regular expression: Unmatched (");
	is_refused("[a", "not a regular expression: ");
	is_refused("[[:alpha", "not a regular expression: ");
	is_refused("[[.", "not a regular expression: ");
	is_refused("[", "not a regular expression: ");
	is_refused("a\\", "not a regular expression: ");
	is_refused("a{2,1}", "not a regular expression: ");
	is_refused("(a*)*\\1", "have no \\1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
