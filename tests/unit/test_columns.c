/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "readings.h"
#include "top/columns.h"
#include "util/array.h"

static int teardown(void **state)
{
	(void)state;
	free_rows();
	return 0;
}

/* clang-format off */
/* Everything is measured. */
#define ALL \
	"'cpu_usage':0.5,'cpu_wait':" HIST(2, 0.25, "[-12,2]") "," \
	"'block_io':[{'device':'a','op':'read','value':" HIST(1, 0.001, "[-40,1]") "}," \
	"{'device':'a','op':'write','value':" HIST(1, 0.25, "[-8,1]") "}]," \
	"'fsync':" HIST(1, 0.5, "[-4,1]") "," \
	"'tcp_response':{'server':" HIST(4, 0.5, "[-12,4]") ",'client':" HIST(0, 0, "") "}," \
	"'tcp_retransmits':3,'memory_stall':" HIST(1, 0.02, "[-20,1]") "," \
	"'cpu_context_switches':{'voluntary':1500,'involuntary':500}"
/* clang-format on */

#define SCHED_ALONE                                                                                \
	"'cpu_wait':" HIST(2, 0.25,                                                                \
			   "[-12,2]") ",'cpu_context_switches':{'voluntary':1,'involuntary':1}"

static bool has(const struct column_layout *layout, enum column_id id)
{
	int i;

	for (i = 0; i < layout->count; i++)
		if (layout->places[i].id == id)
			return true;
	return false;
}

/* Places are in order, do not overlap, and end within the screen. */
static void check_places(const struct column_layout *layout, int width)
{
	int i, end = 0;

	for (i = 0; i < layout->count; i++) {
		assert_true(i == 0 || layout->places[i].id > layout->places[i - 1].id);
		assert_true(layout->places[i].at >= end);
		end = layout->places[i].at + layout->places[i].width + 1;
	}
	assert_true(end - 1 <= width);
	assert_int_equal(layout->places[0].id, COLUMN_NAME);
}

static void test_any_width(void **state)
{
	struct column_layout layout, wider;
	int width, i;

	(void)state;
	make_rows(1, "{'unit':'a'," ALL "}");
	columns_fit(&rows, 5, &layout);
	assert_int_equal(layout.count, 1);
	for (width = 5; width < 300; width++) {
		columns_fit(&rows, width, &layout);
		check_places(&layout, width);
		columns_fit(&rows, width + 1, &wider);
		/* A column that has a place keeps it on a wider screen. */
		for (i = 0; i < layout.count; i++)
			assert_true(has(&wider, layout.places[i].id));
	}
	assert_int_equal(layout.count, COLUMNS_ALL);
}

static void test_usual_widths(void **state)
{
	struct column_layout layout;

	(void)state;
	make_rows(1, "{'unit':'a'," ALL "}");
	columns_fit(&rows, 80, &layout);
	assert_true(has(&layout, COLUMN_CPU) && has(&layout, COLUMN_WAIT) &&
		    has(&layout, COLUMN_BAR) && has(&layout, COLUMN_CAUSE) &&
		    has(&layout, COLUMN_DISK) && has(&layout, COLUMN_FSYNC));
	columns_fit(&rows, 60, &layout);
	assert_true(has(&layout, COLUMN_CPU) && has(&layout, COLUMN_WAIT) &&
		    has(&layout, COLUMN_BAR) && has(&layout, COLUMN_CAUSE));
	assert_false(has(&layout, COLUMN_RETRANSMITS));
	columns_fit(&rows, 200, &layout);
	assert_int_equal(layout.count, COLUMNS_ALL);
}

/* An unmeasured column makes room for a measured one. It is shown if there is room for it. */
static void test_missing_probes(void **state)
{
	struct column_layout layout;

	(void)state;
	make_rows(1, "{'unit':'a'," SCHED_ALONE "}");
	columns_fit(&rows, 80, &layout);
	assert_true(has(&layout, COLUMN_P99) && has(&layout, COLUMN_SWITCHES));
	assert_false(has(&layout, COLUMN_FSYNC));
	columns_fit(&rows, 200, &layout);
	assert_true(has(&layout, COLUMN_FSYNC));
}

static void check_text(const char *name, enum column_id id, const char *expected)
{
	char text[FORMAT_SIZE];

	column_format(&rows, row_of(name), id, text);
	assert_string_equal(text, expected);
}

static void test_values(void **state)
{
	(void)state;
	make_rows(2, "{'unit':'a'," ALL "},{'unit':'b','cpu_usage':1,'cpu_context_switches':"
		     "{'voluntary':1,'involuntary':0}}");
	check_text("a", COLUMN_CPU, "25");
	check_text("a", COLUMN_WAIT, "12");
	check_text("a", COLUMN_P99, "125ms");
	check_text("a", COLUMN_DISK, "250ms"); /* the worse of reads and writes */
	check_text("a", COLUMN_FSYNC, "500ms");
	check_text("a", COLUMN_RESPONSE, "125ms");
	check_text("a", COLUMN_RATE, "2");
	check_text("a", COLUMN_RETRANSMITS, "1.5");
	check_text("a", COLUMN_STALL, "1.0");
	check_text("a", COLUMN_WAITS, "1");
	check_text("a", COLUMN_SWITCHES, "1.0k");
	/* Measured, and nothing happened. */
	check_text("b", COLUMN_WAIT, "0");
	check_text("b", COLUMN_FSYNC, ".");
	check_text("b", COLUMN_RATE, "0");
}

/* Not measured is not zero. */
static void test_what_is_not_known(void **state)
{
	static const enum column_id missing[] = {COLUMN_CPU,	  COLUMN_DISK, COLUMN_FSYNC,
						 COLUMN_RESPONSE, COLUMN_RATE, COLUMN_RETRANSMITS,
						 COLUMN_STALL};
	size_t i;

	(void)state;
	make_rows(1, "{'unit':'a'," SCHED_ALONE "}");
	for (i = 0; i < ARRAY_SIZE(missing); i++)
		check_text("a", missing[i], "-");
	check_text("a", COLUMN_WAIT, "25");
}

static void check_order(enum column_id id, bool reverse, const char *expected)
{
	char order[8] = "";
	size_t i;

	columns_sort(&rows, id, reverse);
	for (i = 0; i < rows.count; i++)
		order[i] = rows.rows[i].name[0];
	assert_string_equal(order, expected);
}

static void test_order(void **state)
{
	(void)state;
	make_rows(1, "{'unit':'b','cpu_usage':1,'cpu_wait':" HIST(
			     1, 0.2, "[-8,1]") "},"
					       "{'unit':'c','cpu_usage':3,'cpu_wait':" HIST(
						       9, 0.1,
						       "[-20,9]") "},"
								  "{'unit':'a','cpu_wait':" HIST(
									  2, 0.2, "[-12,2]") "}");
	check_order(COLUMN_NAME, false, "abc");
	check_order(COLUMN_NAME, true, "cba");
	check_order(COLUMN_WAIT, false, "abc"); /* the same: by name */
	check_order(COLUMN_P99, false, "bac");
	check_order(COLUMN_P99, true, "cab");
	check_order(COLUMN_WAITS, false, "cab");
	check_order(COLUMN_CPU, false, "cba");
	/* Nothing to sort by: by name. */
	check_order(COLUMN_FSYNC, false, "abc");
}

/* Rows with an unknown value come last, in either order. */
static void test_unknown_is_last(void **state)
{
	(void)state;
	make_rows(1, "{'unit':'b','cpu_usage':1},{'unit':'a','memory_working_set_bytes':1,"
		     "'cpu_wait':" HIST(9, 0.1, "[-20,9]") "},{'unit':'c','cpu_usage':3}");
	/* A counter that others have is zero; it is known. */
	check_order(COLUMN_CPU, false, "cba");
	check_order(COLUMN_CPU, true, "abc");
}

static void test_sort_words(void **state)
{
	int i, n;

	(void)state;
	for (i = 0; column_sort_names[i]; i++)
		assert_string_equal(column_list[column_of_sort(i)].word, column_sort_names[i]);
	for (n = 0; n < COLUMNS_ALL; n++)
		i -= column_list[n].word != NULL;
	assert_int_equal(i, 0); /* every word of a column can be said */
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_any_width),	    TEST(test_usual_widths),	  TEST(test_missing_probes),
		TEST(test_values),	    TEST(test_what_is_not_known), TEST(test_order),
		TEST(test_unknown_is_last), TEST(test_sort_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
