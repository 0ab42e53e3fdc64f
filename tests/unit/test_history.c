/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is kept of the last intervals, and the heat map that is made of it. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "readings.h"
#include "top/heatmap.h"
#include "diagnose/history.h"

static struct history *history;

static int setup(void **state)
{
	(void)state;
	history = history_new();
	return history ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	history_free(history);
	free_rows();
	return 0;
}

#define WEB  "{'namespace':'shop','pod':'web-0','container':'web',"
#define SIDE "{'namespace':'shop','pod':'web-0','container':'side',"

static void add(int seconds, const char *containers, uint64_t at_ns)
{
	make_rows(seconds, containers);
	assert_int_equal(history_add(history, &rows, at_ns), 0);
}

static void test_cells(void **state)
{
	uint32_t cells[4][HISTORY_OCTAVES];

	(void)state;
	assert_int_equal(history_columns(history), 0);
	add(1, WEB "'cpu_wait':" HIST(10, 1, "[-80,1],[-79,2],[-76,3],[-75,4]") "}", 1);
	add(2, "{'unit':'x','cpu_wait':" HIST(1, 1, "[0,1]") "}", 2);
	add(3,
	    WEB "'cpu_wait':" HIST(3, 1, "[28,1],[29,2]") "}," SIDE "'cpu_wait':" HIST(
		    100000, 1, "[28,100000]") "}",
	    3);
	assert_int_equal(history_columns(history), 3);
	assert_true(history_seconds(history, 2) == 5);
	assert_true(history_seconds(history, 99) == 6);
	assert_true(history_cells(history, "shop/web-0/web", ROW_LEVEL_CONTAINER, SIGNAL_CPU_WAIT,
				  4, cells) == 13);
	assert_int_equal(cells[0][0], 0); /* before the start */
	assert_int_equal(cells[1][0], 1); /* up to 2^-20 s */
	assert_int_equal(cells[1][1], 5); /* up to 2^-19 s */
	assert_int_equal(cells[1][2], 4);
	assert_int_equal(cells[2][0] + cells[2][1], 0);
	assert_int_equal(cells[3][27], 1); /* up to 2^7 s */
	assert_int_equal(cells[3][28], 2); /* beyond */
	/* The pod has both containers; a count has its bound. */
	history_cells(history, "shop/web-0", ROW_LEVEL_POD, SIGNAL_CPU_WAIT, 4, cells);
	assert_int_equal(cells[3][27], 1 + UINT16_MAX);
	assert_true(history_cells(history, "shop", ROW_LEVEL_NAMESPACE, SIGNAL_FSYNC, 4, cells) ==
		    0);
}

/* Older intervals than the ring has are gone, and who has not run for so long. */
static void test_the_ring(void **state)
{
	uint32_t cells[HISTORY_COLUMNS][HISTORY_OCTAVES];
	int i;

	(void)state;
	add(1,
	    WEB "'cpu_wait':" HIST(7, 1, "[0,7]") "}," SIDE "'cpu_wait':" HIST(1, 1, "[0,1]") "}",
	    1);
	for (i = 0; i < HISTORY_COLUMNS; i++)
		add(1, WEB "'cpu_wait':" HIST(1, 1, "[0,1]") "}", 2 + i);
	assert_int_equal(history_columns(history), HISTORY_COLUMNS);
	assert_true(history_cells(history, "shop/web-0/web", ROW_LEVEL_CONTAINER, SIGNAL_CPU_WAIT,
				  HISTORY_COLUMNS, cells) == HISTORY_COLUMNS);
	assert_true(history_cells(history, "shop/web-0/side", ROW_LEVEL_CONTAINER, SIGNAL_CPU_WAIT,
				  HISTORY_COLUMNS, cells) == 0);
	add(1, "", 999);
	assert_true(history_cells(history, "shop/web-0/web", ROW_LEVEL_CONTAINER, SIGNAL_CPU_WAIT,
				  HISTORY_COLUMNS, cells) == HISTORY_COLUMNS - 1);
}

static void test_neighbours(void **state)
{
	/* clang-format off */
	static const char text[] =
		"{'namespace':'shop','pod':'web-0','container':'web','workload':'web',"
		"'workload_kind':'StatefulSet','cpu_wait':" HIST(9, 9, "[0,9]") ",'cpu_wait_caused':["
		"{'namespace':'ml','pod':'train-0','container':'x','workload':'train','seconds':1},"
		"{'namespace':'ml','pod':'train-1','container':'x','workload':'train','seconds':0.75},"
		"{'unit':'kernel','seconds':1.5}]}";
	/* clang-format on */
	struct row_cause list[2];
	struct arena arena = {0};

	(void)state;
	add(1, text, 1);
	add(1, text, 2);
	assert_int_equal(history_neighbours(history, &arena, "shop/web-0/web", ROW_LEVEL_CONTAINER,
					    false, list, 2),
			 3);
	assert_string_equal(list[0].name, "kernel");
	assert_true(list[0].seconds == 3);
	assert_string_equal(list[1].name, "ml/train-0/x");
	/* The pods of a workload together. */
	assert_int_equal(
		history_neighbours(history, &arena, "shop/web", ROW_LEVEL_WORKLOAD, false, list, 2),
		2);
	assert_string_equal(list[0].name, "ml/train");
	assert_true(list[0].seconds == 3.5);
	/* The other way round. */
	assert_int_equal(
		history_neighbours(history, &arena, "ml/train", ROW_LEVEL_WORKLOAD, true, list, 2),
		1);
	assert_string_equal(list[0].name, "shop/web");
	assert_true(list[0].seconds == 3.5);
	assert_int_equal(
		history_neighbours(history, &arena, "nobody", ROW_LEVEL_POD, true, list, 2), 0);
	arena_free(&arena);
}

/* The kubelet may tell the workload of a pod later than top has seen it. */
static void test_workload_told_later(void **state)
{
	/* clang-format off */
	static const char before[] = WEB "'cpu_wait':" HIST(1, 1, "[0,1]") ","
		"'cpu_wait_caused':[{'namespace':'ml','pod':'train-0','container':'x','seconds':1}]}";
	static const char after[] = WEB "'workload':'web','cpu_wait':" HIST(1, 1, "[0,1]") ","
		"'cpu_wait_caused':[{'namespace':'ml','pod':'train-0','container':'x',"
		"'workload':'train','seconds':1}]}";
	/* clang-format on */
	uint32_t cells[2][HISTORY_OCTAVES];
	struct row_cause list[2];
	struct arena arena = {0};

	(void)state;
	add(1, before, 1);
	add(1, after, 2);
	assert_true(history_cells(history, "shop/web", ROW_LEVEL_WORKLOAD, SIGNAL_CPU_WAIT, 2,
				  cells) == 2);
	assert_int_equal(
		history_neighbours(history, &arena, "shop/web", ROW_LEVEL_WORKLOAD, false, list, 2),
		1);
	assert_string_equal(list[0].name, "ml/train");
	assert_true(list[0].seconds == 2);
	arena_free(&arena);
}

static void check_events(const char *name, const char *const *expected, size_t count)
{
	const struct history_event *list[16];
	size_t i;

	assert_int_equal(history_events(history, name, ROW_LEVEL_CONTAINER, list, 16), count);
	for (i = 0; i < count; i++)
		assert_string_equal(list[i]->text, expected[i]);
}

static void test_events(void **state)
{
	static const char *const web[] = {
		"ran for the first time",
	};
	static const char *const x[] = {
		"waits less for CPU, 5.0 %", "a wait for a CPU took up to 149ms",
		"waits for CPU, 30 %: hog",  "1 killed for lack of memory",
		"ran for the first time",
	};

	(void)state;
	add(10, "{'unit':'x','cpu_wait':" HIST(1, 0.001, "[-40,1]") "}", 1);
	add(10,
	    "{'unit':'x','cpu_wait':" HIST(
		    30, 3, "[-11,30]") ",'memory_oom_kills':1,"
				       "'cpu_wait_caused':[{'unit':'hog','seconds':2}]}," WEB
				       "'tcp_retransmits':1}",
	    2);
	/* Still waiting is no news. */
	add(10, "{'unit':'x','cpu_wait':" HIST(300, 1.5, "[-30,300]") "}", 3);
	add(10, "{'unit':'x','cpu_wait':" HIST(100, 0.5, "[-30,100]") "}", 4);
	check_events("x", x, 5);
	check_events("shop/web-0/web", web, 1);
	check_events("nobody", NULL, 0);
}

/* What blocks a task is not known, so the words are others. */
static void test_blocked_events(void **state)
{
	static const char *const x[] = {
		"is blocked less, 5.0 %",
		"a sleep that nothing could interrupt took up to 2.0s",
		"is blocked in the kernel, 30 %",
		"ran for the first time",
	};

	(void)state;
	add(10, "{'unit':'x','task_blocked':" HIST(2, 3, "[4,2]") "}", 1);
	add(10, "{'unit':'x','task_blocked':" HIST(30, 1.5, "[-16,30]") "}", 2);
	add(10, "{'unit':'x','task_blocked':" HIST(10, 0.5, "[-16,10]") "}", 3);
	check_events("x", x, 4);
}

/* One that was there all the time, and only had nothing to do, does not run for the first time. */
static void test_woken(void **state)
{
	(void)state;
	add(1, WEB "'tcp_retransmits':1}", 1);
	make_rows(1, SIDE "'tcp_retransmits':1}");
	rows.rows[0].began = false;
	assert_int_equal(history_add(history, &rows, 2), 0);
	check_events("shop/web-0/side", NULL, 0);
}

/* Each container keeps its last ones, whatever others do; a pod has those of its containers. */
static void test_many_events(void **state)
{
	const struct history_event *list[3 * HISTORY_EVENTS];
	size_t count;
	int i;

	(void)state;
	add(1, WEB "'memory_oom_kills':2}", 1);
	for (i = 2; i <= 99; i++)
		add(1,
		    SIDE "'memory_oom_kills':2},"
			 "{'unit':'x','memory_oom_kills':2}",
		    i);
	assert_int_equal(
		history_events(history, "x", ROW_LEVEL_CONTAINER, list, 3 * HISTORY_EVENTS),
		HISTORY_EVENTS);
	assert_int_equal(list[0]->at_ns, 99);
	assert_int_equal(list[HISTORY_EVENTS - 1]->at_ns, 100 - HISTORY_EVENTS);
	assert_int_equal(history_events(history, "x", ROW_LEVEL_CONTAINER, list, 3), 3);
	assert_int_equal(list[0]->at_ns, 99);
	assert_int_equal(list[2]->at_ns, 97);
	count = history_events(history, "shop/web-0", ROW_LEVEL_POD, list, 3 * HISTORY_EVENTS);
	assert_int_equal(count, HISTORY_EVENTS + 2);
	for (i = 1; i < (int)count; i++)
		assert_true(list[i]->number < list[i - 1]->number);
	assert_int_equal(list[HISTORY_EVENTS]->at_ns, 1); /* of a minute ago, and still there */
}

/* ---------------------------------------------------------------- heat maps */

static void test_scale(void **state)
{
	uint32_t cells[3][HISTORY_OCTAVES] = {{0}};
	struct heatmap_scale scale;

	(void)state;
	heatmap_fit(cells, 3, 7, &scale);
	assert_int_equal(scale.lines, 0);
	cells[0][10] = 3;
	heatmap_fit(cells, 3, 7, &scale);
	assert_true(scale.lines == 1 && scale.per_line == 1 && scale.top == 10 && scale.most == 3);
	assert_true(heatmap_bound(0, &scale) == exp2(-10));
	/* 12 octaves in 7 lines: two a line. */
	cells[1][21] = 5;
	cells[1][20] = 6;
	heatmap_fit(cells, 3, 7, &scale);
	assert_true(scale.lines == 6 && scale.per_line == 2 && scale.most == 11);
	assert_int_equal(heatmap_count(cells, 1, 0, &scale), 11);
	assert_int_equal(heatmap_count(cells, 0, 5, &scale), 3);
	assert_true(heatmap_bound(0, &scale) == 2);
	/* All there are, in any height; the last octave has no bound. */
	cells[2][0] = cells[2][HISTORY_OCTAVES - 1] = 1;
	for (int height = 1; height < 40; height++) {
		uint32_t sum = 0;

		heatmap_fit(cells, 3, height, &scale);
		assert_true(scale.lines <= height);
		for (int line = 0; line < scale.lines; line++)
			for (int column = 0; column < 3; column++)
				sum += heatmap_count(cells, column, line, &scale);
		assert_int_equal(sum, 16);
		assert_true(isinf(heatmap_bound(0, &scale)));
	}
}

static void test_shades(void **state)
{
	uint32_t count;
	int level, last = 1;

	(void)state;
	assert_int_equal(heatmap_level(0, 100), 0);
	assert_int_equal(heatmap_level(1, 1), HEAT_LEVELS);
	assert_int_equal(heatmap_level(1, 1000), 1);
	assert_int_equal(heatmap_level(1000, 1000), HEAT_LEVELS);
	for (count = 1; count < 1000; count++) {
		level = heatmap_level(count, 1000);
		assert_true(level >= last && level <= HEAT_LEVELS);
		last = level;
	}
}

static void check_picture(bool ascii, const char *expected)
{
	uint32_t cells[20][HISTORY_OCTAVES] = {{0}};
	struct grid grid = {.ascii = ascii};
	char *picture;
	size_t size;
	FILE *out;
	int i;

	for (i = 0; i < 20; i++)
		cells[i][10] = 100;
	cells[19][12] = 1;
	cells[3][12] = 10;
	assert_int_equal(grid_resize(&grid, 5, 40), 0);
	heatmap_put(&grid, 0, 0, 6, 40, "fsync", cells, 20, 20);
	out = open_memstream(&picture, &size);
	grid_print(&grid, out);
	fclose(out);
	assert_string_equal(picture, expected);
	free(picture);
	grid_free(&grid);
}

static void test_picture(void **state)
{
	(void)state;
	check_picture(true, "fsync  (darkest: 100 in one place)\n"
			    " 3.9ms |   =               .\n"
			    " 2.0ms |\n"
			    " 977us |@@@@@@@@@@@@@@@@@@@@\n"
			    "        -20 s            now\n");
	check_picture(
		false,
		"fsync  (darkest: 100 in one place)\n"
		" 3.9ms \u2502   \u2592               \u2591\n"
		" 2.0ms \u2502\n"
		" 977us "
		"\u2502\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
		"\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\n"
		"        -20 s            now\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cells),      TEST(test_the_ring),
		TEST(test_neighbours), TEST(test_workload_told_later),
		TEST(test_events),     TEST(test_blocked_events),
		TEST(test_woken),      TEST(test_many_events),
		TEST(test_scale),      TEST(test_shades),
		TEST(test_picture),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
