/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What keys do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "readings.h"
#include "top/ui.h"
#include "util/clock.h"

#define PAGE_ROWS 4

static struct ui ui;

static int setup(void **state)
{
	(void)state;
	make_rows(1, "{'unit':'a','tcp_retransmits':1},{'unit':'b','tcp_retransmits':1},"
		     "{'unit':'c','tcp_retransmits':1},{'unit':'d','tcp_retransmits':1},"
		     "{'unit':'e','tcp_retransmits':1},{'unit':'f','tcp_retransmits':1}");
	ui_init(&ui, COLUMN_WAIT, ROW_LEVEL_CONTAINER, NS_PER_S, NULL);
	ui_follow(&ui, &rows, PAGE_ROWS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free_rows();
	return 0;
}

static unsigned int press(int key)
{
	return ui_key(&ui, key, &rows, PAGE_ROWS);
}

static void type(const char *text)
{
	for (; *text; text++)
		press((unsigned char)*text);
}

static void check(const char *selected, size_t first)
{
	assert_string_equal(ui.selected, selected);
	assert_int_equal(ui.first, first);
	assert_true(ui.place >= ui.first && ui.place < ui.first + PAGE_ROWS);
}

static void test_moving(void **state)
{
	(void)state;
	check("a", 0);
	press(UI_KEY_UP);
	check("a", 0);
	press(UI_KEY_DOWN);
	press('j');
	check("c", 0);
	press('k');
	check("b", 0);
	press(UI_KEY_PAGE_DOWN);
	check("f", 2);
	press(UI_KEY_DOWN);
	check("f", 2);
	press(UI_KEY_PAGE_UP);
	check("b", 1);
	press(UI_KEY_END);
	check("f", 2);
	press(UI_KEY_HOME);
	check("a", 0);
}

/* Rows change places: the same one stays selected, and on the screen. */
static void test_the_row_is_followed(void **state)
{
	(void)state;
	press('j');
	columns_sort(&rows, COLUMN_NAME, true);
	ui_follow(&ui, &rows, PAGE_ROWS);
	check("b", 1);
	assert_int_equal(ui.place, 4);
	/* When it is gone, what is at its place is. */
	rows_filter(&rows, "[^b]");
	ui_follow(&ui, &rows, PAGE_ROWS);
	check("a", 1);
	rows.count = 0;
	ui_follow(&ui, &rows, PAGE_ROWS);
	assert_null(ui_selected(&ui, &rows));
	press(UI_KEY_DOWN);
	press(UI_KEY_END);
	assert_int_equal(ui.place, 0);
	assert_int_equal(press(UI_KEY_ENTER), UI_NOTHING);
}

/* A page about one row is not about another one when that did not run. */
static void test_the_page_of_a_row_stays(void **state)
{
	(void)state;
	assert_int_equal(press(UI_KEY_ENTER), UI_DRAW);
	assert_int_equal(ui.page, PAGE_ROW);
	rows_filter(&rows, "[^a]");
	ui_follow(&ui, &rows, PAGE_ROWS);
	assert_string_equal(ui.selected, "a");
	press(UI_KEY_TAB);
	assert_int_equal(ui.heatmap, 1);
	assert_int_equal(press('g'), UI_NOTHING);
	press(UI_KEY_ESCAPE);
	assert_int_equal(ui.page, PAGE_TABLE);
	assert_false(ui.quit);
}

static void test_pages_and_quit(void **state)
{
	(void)state;
	press(UI_KEY_ENTER);
	press('?');
	assert_int_equal(ui.page, PAGE_HELP);
	press(UI_KEY_HELP);
	assert_int_equal(ui.page, PAGE_ROW);
	press('h');
	press('q');
	assert_int_equal(ui.page, PAGE_ROW);
	press('q');
	assert_int_equal(ui.page, PAGE_TABLE);
	press(UI_KEY_ESCAPE); /* does not quit */
	assert_false(ui.quit);
	press('q');
	assert_true(ui.quit);
}

static void test_filter(void **state)
{
	(void)state;
	press('/');
	type("wex(q");
	assert_true(ui.editing);
	assert_false(ui.quit);
	assert_int_equal(press(UI_KEY_ENTER), UI_DRAW);
	assert_true(ui.typed_wrong); /* an open bracket */
	assert_string_equal(ui.filter, "");
	press(UI_KEY_BACKSPACE);
	press(UI_KEY_BACKSPACE);
	type("\xc3\xa4");
	press(UI_KEY_BACKSPACE); /* both bytes */
	press(UI_KEY_BACKSPACE);
	type("b");
	assert_int_equal(press(UI_KEY_ENTER), UI_DRAW | UI_ARRANGE);
	assert_string_equal(ui.filter, "web");
	assert_false(ui.editing);
	/* Given up: the old one stays. */
	press('/');
	assert_string_equal(ui.typed, "web");
	press(0x15);
	assert_string_equal(ui.typed, "");
	type("x");
	press(UI_KEY_ESCAPE);
	assert_string_equal(ui.filter, "web");
	/* Nothing typed: no filter. */
	press('/');
	press(0x15);
	press(UI_KEY_ENTER);
	assert_string_equal(ui.filter, "");
}

static void test_a_long_filter(void **state)
{
	int i;

	(void)state;
	press('/');
	for (i = 0; i < UI_FILTER_SIZE + 9; i++)
		press('x');
	assert_int_equal(strlen(ui.typed), UI_FILTER_SIZE - 1);
	for (i = 0; i < UI_FILTER_SIZE + 9; i++)
		press(UI_KEY_BACKSPACE);
	assert_string_equal(ui.typed, "");
}

static void test_sorting_and_grouping(void **state)
{
	int i;

	(void)state;
	assert_int_equal(press('s'), UI_DRAW | UI_ARRANGE);
	assert_int_equal(ui.sort, COLUMN_P99);
	press('s'); /* the bar and the cause are passed over */
	assert_int_equal(ui.sort, COLUMN_DISK);
	press('<');
	press('S');
	assert_int_equal(ui.sort, COLUMN_WAIT);
	press('r');
	assert_true(ui.reverse);
	for (i = 0; i < COLUMNS_ALL - 2; i++)
		press('s');
	assert_int_equal(ui.sort, COLUMN_WAIT); /* once around */
	assert_false(ui.reverse);
	for (i = 1; i <= ROW_LEVELS; i++) {
		assert_int_equal(press('g'), UI_DRAW | UI_ARRANGE);
		assert_int_equal(ui.level, i % ROW_LEVELS);
	}
}

static void test_interval_and_freezing(void **state)
{
	int i;

	(void)state;
	assert_int_equal(press('+'), UI_DRAW | UI_INTERVAL);
	assert_true(ui.interval_ns == 2 * NS_PER_S);
	press('-');
	press('-');
	assert_true(ui.interval_ns == NS_PER_S / 2);
	for (i = 0; i < 20; i++)
		press('-');
	assert_true(ui.interval_ns == NS_PER_S / 10);
	for (i = 0; i < 20; i++)
		press('+');
	assert_true(ui.interval_ns == 60 * NS_PER_S);
	ui.interval_ns = 3 * NS_PER_S; /* as a flag may say */
	press('+');
	assert_true(ui.interval_ns == 5 * NS_PER_S);
	ui.interval_ns = 3 * NS_PER_S;
	press('-');
	assert_true(ui.interval_ns == 2 * NS_PER_S);
	ui.interval_ns = 600 * NS_PER_S;
	press('+');
	assert_true(ui.interval_ns == 600 * NS_PER_S);
	press('-');
	assert_true(ui.interval_ns == 60 * NS_PER_S);
	assert_int_equal(press(' '), UI_DRAW | UI_INTERVAL);
	assert_true(ui.frozen);
	press(' ');
	assert_false(ui.frozen);
	press('m');
	assert_true(ui.mouse);
}

static void test_clicks(void **state)
{
	(void)state;
	press(UI_KEY_END);
	assert_int_equal(ui_click(&ui, 1, false, &rows), UI_DRAW);
	check("d", 2);
	assert_int_equal(ui_click(&ui, 9, false, &rows), UI_NOTHING);
	ui_click(&ui, 2, true, &rows);
	assert_int_equal(ui.page, PAGE_ROW);
	assert_string_equal(ui.selected, "e");
	assert_int_equal(ui_click(&ui, 0, false, &rows), UI_NOTHING);
}

static void test_other_keys(void **state)
{
	int key;

	(void)state;
	for (key = 0x80; key < 0x100; key++)
		assert_int_equal(press(key), UI_NOTHING);
	assert_int_equal(press('x'), UI_NOTHING);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_moving),
		TEST(test_the_row_is_followed),
		TEST(test_the_page_of_a_row_stays),
		TEST(test_pages_and_quit),
		TEST(test_filter),
		TEST(test_a_long_filter),
		TEST(test_sorting_and_grouping),
		TEST(test_interval_and_freezing),
		TEST(test_clicks),
		TEST(test_other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
