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

#include "top/print.h"

#define LONG_POD   "monitoring/prometheus-kube-prometheus-stack-prometheus-0/config-reloader"
#define UMLAUTS	   "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x8d\x87"
#define UTF8_NAME  UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS
#define TEXT_LINES 8

/* What was printed, in lines. */
static char *printed;
static char *lines[TEXT_LINES];
static size_t line_count;

static int teardown(void **state)
{
	(void)state;
	free(printed);
	printed = NULL;
	return 0;
}

static void print_table(struct top_row *list, size_t count, unsigned int width)
{
	struct top_rows rows = {.rows = list, .count = count, .seconds = 1};
	size_t size;
	FILE *out;
	char *line;

	free(printed);
	out = open_memstream(&printed, &size);
	top_print_table(&rows, width, out);
	fclose(out);
	assert_int_equal(printed[size - 1], '\n');
	for (line_count = 0, line = strtok(printed, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(line_count < TEXT_LINES);
		lines[line_count++] = line;
	}
}

/* The columns a line takes; it must be well-formed, and hold no control character. */
static size_t columns(const char *line)
{
	size_t count = 0, follow = 0;

	for (; *line; line++) {
		unsigned char c = (unsigned char)*line;

		if ((c & 0xc0) == 0x80) {
			assert_true(follow > 0);
			follow--;
			continue;
		}
		assert_int_equal(follow, 0);
		assert_true(c >= 0x20 && c != 0x7f);
		follow = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		count++;
	}
	assert_int_equal(follow, 0);
	return count;
}

static struct top_row row(const char *name, struct top_cause *cause)
{
	return (struct top_row){
		.name = (char *)name,
		.unit = name,
		.name_space = "",
		.pod = "",
		.container = "",
		.wait_ratio = 0.123,
		.wait_seconds = 2,
		.waits = 1234,
		.p50 = 0.000244140625,
		.p99 = 0.25,
		.voluntary = 1000,
		.involuntary = 500,
		.causes = cause,
		.cause_count = cause ? 1 : 0,
	};
}

static void test_a_row(void **state)
{
	struct top_cause cause = {"shop/hog/spin", 1};
	struct top_row list[] = {row("shop/web-0/nginx", &cause), row("ssh.service", NULL)};

	(void)state;
	print_table(list, 2, 80);
	assert_int_equal(line_count, 3);
	assert_string_equal(lines[0], "CONTAINER OR UNIT     WAIT%    P50    P99 WAITS/s   CSW/s  "
				      "CAUSED BY");
	assert_memory_equal(lines[1],
			    "shop/web-0/nginx       12.3  244us  250ms    1234    1500  "
			    "50% shop/hog/spin",
			    strlen("shop/web-0/nginx       12.3  244us  250ms    1234    1500  "
				   "50% shop/hog/spin"));
	assert_memory_equal(lines[2], "ssh.service ", 12);
	assert_memory_equal(lines[2] + strlen(lines[1]) - 21, "-", 1);
}

static void test_nothing(void **state)
{
	(void)state;
	print_table(NULL, 0, 80);
	assert_int_equal(line_count, 2);
	assert_string_equal(lines[1], "(nothing ran)");
}

static void test_widths(void **state)
{
	static const char *const names[] = {"a", LONG_POD, UTF8_NAME, "exactly-20-columns-x",
					    "exactly-21-columns-xy"};
	unsigned int width, wanted;
	size_t i;

	(void)state;
	for (width = 0; width < 250; width++) {
		wanted = width < 80 ? 80 : width;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			struct top_cause cause = {names[i], 2};
			struct top_row list[] = {row(names[i], &cause), row(names[i], NULL)};

			print_table(list, 2, width);
			assert_int_equal(line_count, 3);
			assert_true(columns(lines[0]) <= wanted);
			assert_int_equal(columns(lines[1]), wanted);
			assert_true(columns(lines[2]) <= wanted);
		}
	}
}

/* A hundred tasks of one container wait at once, a million times a second. */
static void test_large_numbers(void **state)
{
	struct top_row list[] = {row(LONG_POD, NULL), row(LONG_POD, NULL)};

	(void)state;
	list[0].wait_ratio = 100;
	list[0].waits = 9999999;
	list[0].voluntary = 9999999;
	list[0].involuntary = 0;
	list[0].p50 = list[0].p99 = INFINITY;
	list[1].wait_ratio = 99.9996;
	print_table(list, 2, 80);
	assert_true(columns(lines[1]) <= 80);
	assert_true(columns(lines[2]) <= 80);
	assert_non_null(strstr(lines[1], " 10000  >128s  >128s 9999999 9999999 "));
}

/* Both ends of a long name stay: they tell containers apart. */
static void test_long_names_lose_their_middle(void **state)
{
	struct top_row list[] = {row(LONG_POD, NULL)};

	(void)state;
	print_table(list, 1, 80);
	assert_memory_equal(lines[1], "monitorin~g-reloader ", 20);
	print_table(list, 1, 200);
	assert_memory_equal(lines[1], LONG_POD " ", strlen(LONG_POD) + 1);
}

/* A name comes from another process: it must not command the terminal. */
static void test_control_characters(void **state)
{
	struct top_cause cause = {"\x1b]0;title\x07", 1};
	struct top_row list[] = {row("\x1b[2Jgone\x7f\xc2\x9b", &cause)};

	(void)state;
	print_table(list, 1, 80);
	assert_int_equal(line_count, 2);
	assert_int_equal(columns(lines[1]), 80);
	assert_memory_equal(lines[1], "?[2Jgone??", 10);
	assert_non_null(strstr(lines[1], "50% ?]0;title?"));
}

static void check_seconds(double seconds, const char *expected)
{
	char text[16];

	top_format_seconds(text, seconds);
	assert_string_equal(text, expected);
}

static void test_format_seconds(void **state)
{
	(void)state;
	check_seconds(0, "-");
	check_seconds(-1, "-");
	check_seconds(INFINITY, ">128s");
	check_seconds(1e-9, "1.0ns");
	check_seconds(950e-9, "950ns");
	check_seconds(999.4e-9, "999ns");
	check_seconds(999.95e-9, "1.0us");
	check_seconds(1e-6, "1.0us");
	check_seconds(9.94e-6, "9.9us");
	check_seconds(9.96e-6, "10us");
	check_seconds(15e-6, "15us");
	check_seconds(999.4e-6, "999us");
	check_seconds(999.6e-6, "1.0ms");
	check_seconds(999.95e-6, "1.0ms");
	check_seconds(1e-3, "1.0ms");
	check_seconds(0.25, "250ms");
	check_seconds(0.9994, "999ms");
	check_seconds(0.9996, "1.0s");
	check_seconds(1, "1.0s");
	check_seconds(9.94, "9.9s");
	check_seconds(9.951, "10s");
	check_seconds(128, "128s");
}

/* In the whole range: six columns, three digits, and not far from the value. */
static void test_format_seconds_sweep(void **state)
{
	double seconds;

	(void)state;
	for (seconds = 1e-9; seconds < 900; seconds *= 1.00007) {
		char text[16], *unit;
		double value;

		top_format_seconds(text, seconds);
		assert_true(strlen(text) <= 6);
		value = strtod(text, &unit);
		assert_true(value < 999.5 && value >= 1);
		value *= unit[0] == 'n' ? 1e-9 : unit[0] == 'u' ? 1e-6 : unit[0] == 'm' ? 1e-3 : 1;
		assert_true(fabs(value / seconds - 1) < 0.051);
	}
}

static void test_json(void **state)
{
	struct top_cause cause = {"hog", 1};
	struct top_row list[] = {row("ssh.service", &cause), row("", NULL)};
	struct top_rows rows = {.rows = list, .count = 2, .seconds = 1.5};
	const json_t *item;
	json_t *root;
	size_t size;
	FILE *out;

	(void)state;
	list[1].unit = "";
	list[1].name_space = "shop";
	list[1].pod = "web-0";
	list[1].container = "nginx";
	list[1].p99 = INFINITY;
	out = open_memstream(&printed, &size);
	assert_int_equal(top_print_json(&rows, out), 0);
	fclose(out);
	assert_ptr_equal(strchr(printed, '\n'), printed + size - 1);
	root = json_loads(printed, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_true(json_real_value(json_object_get(root, "interval_seconds")) == 1.5);
	item = json_array_get(json_object_get(root, "containers"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "unit")), "ssh.service");
	assert_null(json_object_get(item, "pod"));
	assert_true(json_real_value(json_object_get(item, "wait_ratio")) == 0.123);
	assert_true(json_real_value(json_object_get(item, "waits_per_second")) == 1234);
	assert_true(json_real_value(json_object_get(item, "wait_p99_seconds")) == 0.25);
	assert_true(json_real_value(json_object_get(item, "wait_p50_seconds")) == 0.000244140625);
	item = json_array_get(json_object_get(item, "caused_by"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "name")), "hog");
	assert_true(json_real_value(json_object_get(item, "seconds")) == 1);
	item = json_array_get(json_object_get(root, "containers"), 1);
	assert_string_equal(json_string_value(json_object_get(item, "pod")), "web-0");
	assert_true(json_is_null(json_object_get(item, "wait_p99_seconds")));
	assert_int_equal(json_array_size(json_object_get(item, "caused_by")), 0);
	json_decref(root);
}

static void test_json_of_nothing(void **state)
{
	struct top_rows rows = {.seconds = 1};
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	(void)state;
	assert_int_equal(top_print_json(&rows, out), 0);
	fclose(out);
	assert_string_equal(printed, "{\"interval_seconds\":1.0,\"containers\":[]}\n");
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_row),
		TEST(test_nothing),
		TEST(test_widths),
		TEST(test_large_numbers),
		TEST(test_long_names_lose_their_middle),
		TEST(test_control_characters),
		TEST(test_format_seconds),
		TEST(test_format_seconds_sweep),
		TEST(test_json),
		TEST(test_json_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
