/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bramble/hist.h"
#include "top/rows.h"

static json_t *before, *now;
static struct top_rows rows;

static int teardown(void **state)
{
	(void)state;
	top_rows_free(&rows);
	json_decref(before);
	json_decref(now);
	before = now = NULL;
	return 0;
}

static json_t *reading(double time_seconds)
{
	return json_pack("{s:f, s:[]}", "time_seconds", time_seconds, "containers");
}

static void add(json_t *to, json_t *container)
{
	assert_non_null(container);
	json_array_append_new(json_object_get(to, "containers"), container);
}

/* A container with one bucket of waits. */
static json_t *container(const char *pod, int count, double sum, int k, int switches)
{
	return json_pack("{s:s, s:s, s:s, s:{s:i, s:f, s:[[i,i]]}, s:{s:i, s:i}, s:[]}",
			 "namespace", "shop", "pod", pod, "container", "main", "cpu_wait", "count",
			 count, "sum_seconds", sum, "buckets", k, count, "cpu_context_switches",
			 "voluntary", switches, "involuntary", 2 * switches, "cpu_wait_caused");
}

static json_t *unit(const char *name, int count, double sum)
{
	return json_pack("{s:s, s:{s:i, s:f, s:[[i,i]]}, s:{s:i, s:i}, s:[]}", "unit", name,
			 "cpu_wait", "count", count, "sum_seconds", sum, "buckets", 0, count,
			 "cpu_context_switches", "voluntary", count, "involuntary", 0,
			 "cpu_wait_caused");
}

static void add_cause(json_t *to, const char *name, double seconds)
{
	json_array_append_new(json_object_get(to, "cpu_wait_caused"),
			      json_pack("{s:s, s:f}", "unit", name, "seconds", seconds));
}

static void make(void)
{
	assert_int_equal(top_rows_make(before, now, &rows), 0);
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void test_differences(void **state)
{
	(void)state;
	before = reading(100);
	now = reading(102);
	add(before, container("web-0", 10, 1.0, 0, 100));
	add(now, container("web-0", 30, 4.0, 0, 300));
	make();
	assert_int_equal(rows.count, 1);
	assert_true(near(rows.seconds, 2));
	assert_string_equal(rows.rows[0].name, "shop/web-0/main");
	assert_string_equal(rows.rows[0].name_space, "shop");
	assert_string_equal(rows.rows[0].pod, "web-0");
	assert_string_equal(rows.rows[0].container, "main");
	assert_string_equal(rows.rows[0].unit, "");
	assert_true(near(rows.rows[0].wait_seconds, 3));
	assert_true(near(rows.rows[0].wait_ratio, 1.5));
	assert_true(near(rows.rows[0].waits, 10));
	assert_true(near(rows.rows[0].voluntary, 100));
	assert_true(near(rows.rows[0].involuntary, 200));
}

static void test_new_and_vanished(void **state)
{
	(void)state;
	before = reading(1);
	now = reading(2);
	add(before, container("gone", 10, 1.0, 0, 1));
	add(before, unit("stays", 1, 0.1));
	add(now, container("new", 4, 2.0, 0, 3));
	add(now, unit("stays", 2, 0.3));
	make();
	assert_int_equal(rows.count, 2);
	assert_string_equal(rows.rows[0].name, "shop/new/main");
	assert_true(near(rows.rows[0].wait_seconds, 2)); /* all of it is of this interval */
	assert_true(near(rows.rows[0].waits, 4));
	assert_string_equal(rows.rows[1].name, "stays");
	assert_string_equal(rows.rows[1].unit, "stays");
	assert_true(near(rows.rows[1].wait_seconds, 0.2));
}

/* Readings list the same containers in any order. */
static void test_order_does_not_matter(void **state)
{
	char name[16];
	int i;

	(void)state;
	before = reading(1);
	now = reading(2);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		add(before, unit(name, i, 0));
		snprintf(name, sizeof(name), "u%d", 19 - i);
		add(now, unit(name, 19 - i + 1, 0));
	}
	make();
	assert_int_equal(rows.count, 20);
	for (i = 0; i < 20; i++)
		assert_true(near(rows.rows[i].waits, 1));
}

/* Same pod name in another namespace, or as a unit: another one. */
static void test_labels_are_compared_as_a_whole(void **state)
{
	json_t *other;

	(void)state;
	before = reading(1);
	now = reading(2);
	add(before, container("web-0", 10, 1, 0, 10));
	other = container("web-0", 11, 1, 0, 10);
	json_object_set_new(other, "namespace", json_string("test"));
	add(now, other);
	make();
	assert_true(near(rows.rows[0].waits, 11));
}

static void test_idle_has_no_row(void **state)
{
	(void)state;
	before = reading(1);
	now = reading(2);
	add(before, container("idle", 5, 1, 0, 5));
	add(now, container("idle", 5, 1, 0, 5));
	make();
	assert_int_equal(rows.count, 0);
}

/* The pairs are read a little later than the cells: a cause may be ahead of its waits. */
static void test_idle_with_a_cause(void **state)
{
	json_t *idle;

	(void)state;
	before = reading(1);
	now = reading(2);
	add(before, container("idle", 5, 1, 0, 5));
	idle = container("idle", 5, 1, 0, 5);
	add_cause(idle, "hog", 0.002);
	add(now, idle);
	make();
	assert_int_equal(rows.count, 0);
}

static void test_ran_without_waits(void **state)
{
	(void)state;
	before = reading(1);
	now = reading(2);
	add(now, container("lucky", 0, 0, 0, 5));
	make();
	assert_int_equal(rows.count, 1);
	assert_true(rows.rows[0].p50 == 0 && rows.rows[0].p99 == 0);
	assert_true(near(rows.rows[0].voluntary, 5));
}

static json_t *with_buckets(json_t *buckets)
{
	json_t *item = container("web-0", 0, 0, 0, 1);
	json_t *wait = json_object_get(item, "cpu_wait");
	json_int_t count = 0;
	const json_t *pair;
	size_t i;

	json_array_foreach(buckets, i, pair) count += json_integer_value(json_array_get(pair, 1));
	json_object_set_new(wait, "count", json_integer(count));
	json_object_set_new(wait, "buckets", buckets);
	return item;
}

static void check_quantiles(json_t *buckets_before, json_t *buckets_now, double p50, double p99)
{
	before = reading(1);
	now = reading(2);
	add(before, with_buckets(buckets_before));
	add(now, with_buckets(buckets_now));
	make();
	assert_int_equal(rows.count, 1);
	assert_true(rows.rows[0].p50 == p50);
	assert_true(rows.rows[0].p99 == p99);
	teardown(NULL);
}

static void test_quantiles(void **state)
{
	(void)state;
	check_quantiles(json_pack("[]"), json_pack("[[i,i]]", 0, 1), 1, 1);
	check_quantiles(json_pack("[]"), json_pack("[[i,i]]", HIST_MIN_K, 1), 1.0 / (1 << 20),
			1.0 / (1 << 20));
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", -4, 50, 4, 50), 0.5, 2);
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", -4, 49, 4, 51), 2, 2);
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", -4, 99, 4, 1), 0.5, 0.5);
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", -4, 98, 4, 2), 0.5, 2);
	/* Only what came since counts. */
	check_quantiles(json_pack("[[i,i]]", 20, 1000000),
			json_pack("[[i,i],[i,i]]", -8, 3, 20, 1000000), 0.25, 0.25);
}

static void test_beyond_the_last_bound(void **state)
{
	(void)state;
	check_quantiles(json_pack("[]"), json_pack("[[i,i]]", HIST_MAX_K, 1), 128, 128);
	check_quantiles(json_pack("[]"), json_pack("[[i,i]]", HIST_MAX_K + 1, 1), INFINITY,
			INFINITY);
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", 0, 60, HIST_MAX_K + 1, 40), 1,
			INFINITY);
	/* A bucket that there is not is nowhere. */
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", 1000, 1, 0, 1), 1, INFINITY);
	check_quantiles(json_pack("[]"), json_pack("[[i,i],[i,i]]", HIST_MIN_K - 1, 1, 0, 1), 1,
			INFINITY);
}

static void test_causes_are_sorted(void **state)
{
	json_t *earlier, *later;

	(void)state;
	before = reading(1);
	now = reading(2);
	earlier = unit("victim", 1, 1);
	add_cause(earlier, "was-bad", 5);
	add_cause(earlier, "is-bad", 1);
	add(before, earlier);
	later = unit("victim", 9, 9);
	add_cause(later, "new", 0.5);
	add_cause(later, "was-bad", 5);
	add_cause(later, "is-bad", 4);
	add_cause(later, "less", 1);
	add(now, later);
	make();
	assert_int_equal(rows.rows[0].cause_count, 3);
	assert_string_equal(rows.rows[0].causes[0].name, "is-bad");
	assert_true(near(rows.rows[0].causes[0].seconds, 3));
	assert_string_equal(rows.rows[0].causes[1].name, "less");
	assert_string_equal(rows.rows[0].causes[2].name, "new");
}

static void test_wrong_readings(void **state)
{
	(void)state;
	now = reading(2);
	assert_int_equal(top_rows_make(NULL, now, &rows), -EINVAL);
	assert_int_equal(top_rows_make(now, NULL, &rows), -EINVAL);
	assert_int_equal(top_rows_make(now, now, &rows), -EINVAL); /* no time between */
	before = json_pack("{s:f}", "time_seconds", 1.0);
	assert_int_equal(top_rows_make(before, now, &rows), -EINVAL);
	json_decref(before);
	before = reading(3);
	assert_int_equal(top_rows_make(before, now, &rows), -EINVAL); /* backwards */
	json_decref(before);
	before = reading(1);
	add(now, json_integer(7)); /* is no container, and did not run */
	add(now, json_object());
	assert_int_equal(top_rows_make(before, now, &rows), 0);
	assert_int_equal(rows.count, 0);
}

static void make_three(void)
{
	json_t *a = container("a", 10, 3, 0, 1), *b = container("b", 20, 2, 8, 5);
	json_t *c = container("c", 30, 1, 4, 3);

	before = reading(1);
	now = reading(2);
	add(now, b);
	add(now, c);
	add(now, a);
	make();
}

static void check_order(enum top_sort sort, const char *expected)
{
	size_t i;

	assert_int_equal(top_rows_arrange(&rows, NULL, sort), 0);
	assert_int_equal(rows.count, strlen(expected));
	for (i = 0; i < rows.count; i++)
		assert_int_equal(rows.rows[i].pod[0], expected[i]);
}

static void test_sort(void **state)
{
	(void)state;
	make_three();
	check_order(TOP_SORT_WAIT, "abc");
	check_order(TOP_SORT_P99, "bca");
	check_order(TOP_SORT_WAITS, "cba");
	check_order(TOP_SORT_SWITCHES, "bca");
	check_order(TOP_SORT_NAME, "abc");
}

static void test_equal_rows_are_sorted_by_name(void **state)
{
	(void)state;
	before = reading(1);
	now = reading(2);
	add(now, unit("c", 1, 1));
	add(now, unit("a", 1, 1));
	add(now, unit("b", 1, 1));
	make();
	assert_int_equal(top_rows_arrange(&rows, NULL, TOP_SORT_P99), 0);
	assert_string_equal(rows.rows[0].name, "a");
	assert_string_equal(rows.rows[1].name, "b");
	assert_string_equal(rows.rows[2].name, "c");
}

static void test_sort_names(void **state)
{
	(void)state;
	assert_string_equal(top_sort_names[TOP_SORT_WAIT], "wait");
	assert_string_equal(top_sort_names[TOP_SORT_P99], "p99");
	assert_string_equal(top_sort_names[TOP_SORT_WAITS], "waits");
	assert_string_equal(top_sort_names[TOP_SORT_SWITCHES], "switches");
	assert_string_equal(top_sort_names[TOP_SORT_NAME], "name");
	assert_null(top_sort_names[TOP_SORT_NAME + 1]);
}

static void test_filter(void **state)
{
	(void)state;
	make_three();
	assert_int_equal(top_rows_arrange(&rows, "^shop/(a|c)/", TOP_SORT_NAME), 0);
	assert_int_equal(rows.count, 2);
	assert_string_equal(rows.rows[1].name, "shop/c/main");
	assert_int_equal(top_rows_arrange(&rows, "nothing-like-it", TOP_SORT_NAME), 0);
	assert_int_equal(rows.count, 0);
	assert_int_equal(top_rows_arrange(&rows, "(", TOP_SORT_NAME), -EINVAL);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_differences),
		TEST(test_new_and_vanished),
		TEST(test_order_does_not_matter),
		TEST(test_labels_are_compared_as_a_whole),
		TEST(test_idle_has_no_row),
		TEST(test_idle_with_a_cause),
		TEST(test_ran_without_waits),
		TEST(test_quantiles),
		TEST(test_beyond_the_last_bound),
		TEST(test_causes_are_sorted),
		TEST(test_wrong_readings),
		TEST(test_sort),
		TEST(test_equal_rows_are_sorted_by_name),
		TEST(test_sort_names),
		TEST(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
