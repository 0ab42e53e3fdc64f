/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Characters and lines as they come on the screen. */
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

#include "top/grid.h"
#include "top/text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),	   cmocka_unit_test(test_cut_at_any_width),
		cmocka_unit_test(test_characters), cmocka_unit_test(test_grid),
		cmocka_unit_test(test_words),
	};

	/* glibc's own, without any locale installed. */
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
