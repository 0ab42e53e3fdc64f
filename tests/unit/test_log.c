/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <jansson.h>

#include "util/array.h"
#include "util/log.h"

/* What was printed on standard error since capture(). */
static char captured[8192];
static int saved_stderr = -1;
static FILE *sink;

static void capture(void)
{
	fflush(stderr);
	sink = tmpfile();
	assert_non_null(sink);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	dup2(fileno(sink), STDERR_FILENO);
}

static const char *captured_text(void)
{
	size_t len;

	fflush(stderr);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	rewind(sink);
	len = fread(captured, 1, sizeof(captured) - 1, sink);
	captured[len] = '\0';
	fclose(sink);
	return captured;
}

static int teardown(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_LOGFMT);
	return 0;
}

/* Logs text and returns the msg of the one JSON object that was printed, to be freed. */
static char *json_msg(const char *text)
{
	const char *line;
	json_error_t error;
	json_t *object;
	char *msg;

	log_setup(LOG_DEBUG, LOG_JSON);
	capture();
	log_warn("%s", text);
	line = captured_text();
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", error.text, line);
	assert_int_equal(json_object_size(object), 3);
	assert_string_equal(json_string_value(json_object_get(object, "level")), "warn");
	msg = strdup(json_string_value(json_object_get(object, "msg")));
	json_decref(object);
	return msg;
}

static void check_json(const char *text, const char *expected)
{
	char *msg = json_msg(text);

	assert_string_equal(msg, expected);
	free(msg);
}

static void test_levels(void **state)
{
	(void)state;
	log_setup(LOG_WARN, LOG_LOGFMT);
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_WARN));
	assert_true(log_enabled(LOG_ERROR));
	capture();
	log_debug("a");
	log_info("b");
	assert_string_equal(captured_text(), "");
	capture();
	log_warn("c");
	log_error("d");
	captured_text();
	assert_non_null(strstr(captured, "level=warn msg=\"c\"\n"));
	assert_non_null(strstr(captured, "level=error msg=\"d\"\n"));
}

static void test_logfmt(void **state)
{
	int year, month, day, hour, minute, second, ms, end = 0;

	(void)state;
	capture();
	log_info("cannot open %s: %d", "\"a b\"", 3);
	captured_text();
	assert_int_equal(sscanf(captured, "ts=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day,
				&hour, &minute, &second, &ms, &end),
			 7);
	assert_int_equal(end, strlen("ts=2026-01-02T03:04:05.678Z"));
	assert_string_equal(captured + end, " level=info msg=\"cannot open \\\"a b\\\": 3\"\n");
}

/* A message cannot end its line, nor its quotes. */
static void test_logfmt_escapes(void **state)
{
	(void)state;
	capture();
	log_error("%s", "a\nlevel=info msg=\"b\" \\ \t\x1b[31m\x7f");
	captured_text();
	assert_non_null(strstr(captured, " msg=\"a\\u000alevel=info msg=\\\"b\\\" \\\\ "
					 "\\u0009\\u001b[31m\\u007f\"\n"));
}

static void test_json(void **state)
{
	(void)state;
	check_json("plain", "plain");
	check_json("", "");
	check_json("\"quotes\" and \\", "\"quotes\" and \\");
	check_json("a\nb\tc\rd", "a\nb\tc\rd");
}

static void test_json_control_characters(void **state)
{
	char text[128], c;
	size_t len = 0;

	(void)state;
	for (c = 1; c < 0x20; c++)
		text[len++] = c;
	text[len++] = 0x7f;
	text[len] = '\0';
	check_json(text, text);
}

static void test_json_utf8(void **state)
{
	(void)state;
	check_json("Gr\xc3\xb6\xc3\x9f"
		   "e \xe2\x82\xac \xf0\x9f\x8d\x87",
		   "Gr\xc3\xb6\xc3\x9f"
		   "e \xe2\x82\xac \xf0\x9f\x8d\x87");
	/* the first and the last of each length */
	check_json("\xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbd \xf0\x90\x80\x80 "
		   "\xf4\x8f\xbf\xbf",
		   "\xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbd \xf0\x90\x80\x80 "
		   "\xf4\x8f\xbf\xbf");
}

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */

/* A path or a kernel's message may have any bytes: the line stays JSON. */
static void test_json_invalid_utf8(void **state)
{
	static const char *const bad[] = {
		"\xff",		/* never a byte of UTF-8 */
		"\x80",		/* a continuation of nothing */
		"\xc3",		/* cut short */
		"\xc0\xaf",	/* overlong '/' */
		"\xe0\x80\xaf", /* overlong '/' */
		"\xe2\x82",	/* cut short */
		"\xed\xa0\x80", /* a surrogate */
		"\xf0\x80\x80\xaf",
		"\xf0\x9f\x8d",	    /* cut short */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf8\x88\x80\x80\x80",
	};
	char text[32], *msg;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "a%sz", bad[i]);
		msg = json_msg(text);
		assert_int_equal(msg[0], 'a');
		assert_int_equal(strncmp(msg + 1, REPLACED, 3), 0);
		assert_int_equal(msg[strlen(msg) - 1], 'z');
		free(msg);
		msg = json_msg(bad[i]); /* nothing behind its end is read */
		assert_int_equal(strncmp(msg, REPLACED, 3), 0);
		free(msg);
	}
	check_json("\xe2\x82\xe2\x82\xac", REPLACED REPLACED "\xe2\x82\xac");
}

/* Cut where a character has two bytes: at every offset the line is JSON. */
static void test_long_messages_are_cut(void **state)
{
	char text[3001], *msg;
	size_t i, shift;

	(void)state;
	for (shift = 0; shift < 2; shift++) {
		memset(text, 'a', shift);
		for (i = shift; i + 1 < sizeof(text) - 1; i += 2)
			memcpy(text + i, "\xc3\xb6", 2);
		text[i] = '\0';
		msg = json_msg(text);
		assert_in_range(strlen(msg), 1000, 1030);
		assert_memory_equal(msg, text, 1000);
		free(msg);
	}
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

static void test_has_error(void **state)
{
	(void)state;
	capture();
	log_warn("not yet");
	captured_text();
	assert_false(log_has_error());
	capture();
	log_error("now");
	captured_text();
	assert_true(log_has_error());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_has_error), /* the first, as none was logged before */
		TEST(test_levels),
		TEST(test_logfmt),
		TEST(test_logfmt_escapes),
		TEST(test_json),
		TEST(test_json_control_characters),
		TEST(test_json_utf8),
		TEST(test_json_invalid_utf8),
		TEST(test_long_messages_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
