/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Characters, numbers and lines as they come on the screen. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "diagnose/format.h"
#include "top/grid.h"
#include "top/text.h"
#include "diagnose/workload.h"

#define EURO	 "\xe2\x82\xac"
#define GRAPES	 "\xf0\x9f\x8d\x87" /* 2 columns */
#define HAN	 "\xe6\xbc\xa2"	    /* 2 columns */
#define COMBINED "e\xcc\x81"	    /* e and an acute accent: 1 column */

static void check_cut(const char *text, int width, const char *expected, int columns)
{
	char out[128];

	assert_int_equal(text_cut(out, sizeof(out), text, width), columns);
	assert_string_equal(out, expected);
	assert_true(columns <= width);
	assert_int_equal(text_width(out), columns);
}

static void test_cut(void **state)
{
	(void)state;
	check_cut("web-0", 5, "web-0", 5);
	check_cut("web-0", 9, "web-0", 5);
	check_cut("shop/web-7d4b9c6f5-x2x8k/web", 14, "shop/w~x8k/web", 14);
	check_cut("shop/web-0", 1, "~", 1);
	check_cut("shop/web-0", 2, "~0", 2);
	check_cut("shop/web-0", 0, "", 0);
	check_cut("", 5, "", 0);
	check_cut(EURO EURO EURO EURO EURO, 3, EURO "~" EURO, 3);
	/* A wide character is there as a whole or not at all. */
	check_cut(HAN HAN HAN HAN HAN, 6, HAN "~" HAN, 5);
	check_cut(GRAPES "a" GRAPES, 4, "~" GRAPES, 3);
	/* An accent stays with its letter, and goes with it. */
	check_cut(COMBINED COMBINED COMBINED COMBINED, 3, COMBINED "~" COMBINED, 3);
	/* Bytes that are no UTF-8 are one column each. */
	check_cut("a\xff\xff\xff\xff\xffz", 3, "a~z", 3);
}

/* At any width: never too wide, always whole characters, and it ends with a NUL. */
static void test_cut_at_any_width(void **state)
{
	static const char text[] = "ab" EURO COMBINED HAN "/" GRAPES "\x01\xc3" COMBINED "yz";
	char out[64];
	int width;

	(void)state;
	for (width = 0; width < 20; width++) {
		assert_true(text_cut(out, sizeof(out), text, width) <= width);
		if (width < text_width(text) && width > 0)
			assert_non_null(strchr(out, '~'));
	}
	assert_true(text_cut(out, 4, text, 10) <= 10); /* a buffer that is too small */
	assert_true(strlen(out) < 4);
}

static void test_characters(void **state)
{
	struct text_char c;

	(void)state;
	c = text_next(HAN "x");
	assert_true(c.len == 3 && c.width == 2 && c.shown);
	c = text_next("\xcc\x81");
	assert_true(c.len == 2 && c.width == 0 && c.shown);
	c = text_next("\x1b[2J");
	assert_true(c.len == 1 && c.width == 1 && !c.shown);
	c = text_next("\xc2\x9b"); /* CSI */
	assert_true(c.len == 2 && c.width == 1 && !c.shown);
	c = text_next("\xe2\x82");
	assert_true(c.len == 1 && c.width == 1 && !c.shown);
	c = text_next("\xc0\xaf"); /* a slash, too long */
	assert_true(c.len == 1 && !c.shown);
	c = text_next("\xed\xa0\x80"); /* a surrogate */
	assert_true(c.len == 1 && !c.shown);
}

static void check_line(const struct grid *grid, int y, const char *expected)
{
	char line[256] = "";
	int x;

	for (x = 0; x < grid->width; x++)
		strcat(line, grid_cell(grid, y, x)->text);
	assert_string_equal(line, expected);
}

static void test_grid(void **state)
{
	struct grid grid = {0};

	(void)state;
	assert_int_equal(grid_resize(&grid, 3, 8), 0);
	assert_int_equal(grid_put(&grid, 0, 0, 8, STYLE_BOLD, "a" HAN COMBINED "\n" EURO), 6);
	check_line(&grid, 0, "a" HAN COMBINED "?" EURO "  ");
	assert_int_equal(grid_cell(&grid, 0, 2)->style, STYLE_BOLD);
	assert_int_equal(grid_cell(&grid, 0, 6)->style, STYLE_NORMAL);
	assert_int_equal(grid_put(&grid, 1, 6, 8, STYLE_BOLD, "abc"), 2); /* the edge */
	assert_int_equal(grid_put(&grid, 1, 7, 1, STYLE_BOLD, HAN), 0);	  /* half of it */
	check_line(&grid, 1, "      ab");
	assert_int_equal(grid_put(&grid, 3, 0, 8, STYLE_BOLD, "abc"), 0);
	assert_int_equal(grid_put(&grid, -1, 0, 8, STYLE_BOLD, "abc"), 0);
	assert_int_equal(grid_put(&grid, 0, 9, 8, STYLE_BOLD, "abc"), 0);
	grid.ascii = true;
	grid_put(&grid, 2, 0, 8, STYLE_NORMAL, "a" EURO HAN COMBINED);
	check_line(&grid, 2, "a???e   ");
	/* Blank again, of another size. */
	assert_int_equal(grid_resize(&grid, 1, 4), 0);
	check_line(&grid, 0, "    ");
	grid_free(&grid);
}

static void test_words(void **state)
{
	struct grid grid = {0};

	(void)state;
	assert_int_equal(grid_resize(&grid, 4, 10), 0);
	assert_int_equal(grid_put_words(&grid, 0, 0, 4, 10, STYLE_NORMAL, "one two three four"), 2);
	check_line(&grid, 0, "one two   ");
	check_line(&grid, 1, "three four");
	assert_int_equal(grid_resize(&grid, 4, 10), 0);
	/* A word that is too long is broken; what finds no room is cut in its middle. */
	assert_int_equal(
		grid_put_words(&grid, 0, 0, 2, 10, STYLE_NORMAL, "abcdefghijklmno pqrstuvwxyz"), 2);
	check_line(&grid, 0, "abcdefghij");
	check_line(&grid, 1, "klmn~vwxyz");
	check_line(&grid, 2, "          ");
	assert_int_equal(grid_put_words(&grid, 0, 0, 2, 10, STYLE_NORMAL, ""), 0);
	grid_free(&grid);
}

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

static void check_workload(const char *pod, const char *workload)
{
	assert_int_equal(workload_name_len(pod), strlen(workload));
	assert_memory_equal(pod, workload, strlen(workload));
}

static void test_workloads(void **state)
{
	(void)state;
	check_workload("web-7d4b9c6f5-x2x8k", "web"); /* Deployment */
	check_workload("my-web-app-68c5b8d4cf-9xk2p", "my-web-app");
	check_workload("train-0", "train"); /* StatefulSet */
	check_workload("db-primary-12", "db-primary");
	check_workload("node-exporter-x2x8k", "node-exporter"); /* DaemonSet: 5 random characters */
	check_workload("plain", "plain");
	check_workload("with-words", "with-words"); /* vowels are not random */
	check_workload("web-7d4b9c6f5-a1e0u", "web-7d4b9c6f5-a1e0u");
	check_workload("-x2x8k", "-x2x8k");
	check_workload("", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_at_any_width),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_widths_of_numbers),
		cmocka_unit_test(test_workloads),
	};

	/* glibc's own, without any locale installed. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
