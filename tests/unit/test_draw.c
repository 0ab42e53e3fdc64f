/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whole screens, as text. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include <jansson.h>

#include "readings.h"
#include "top/draw.h"
#include "top/print.h"
#include "util/clock.h"

static struct ui ui;
static struct history *history;
static struct view view;
static char *screen;
static uint64_t wall_ns; /* by the wall clock, when it is drawn 100 s after the start */

static int setup(void **state)
{
	(void)state;
	history = history_new();
	ui_init(&ui, COLUMN_WAIT, ROW_LEVEL_CONTAINER, 1000000000, NULL);
	return history ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(screen);
	screen = NULL;
	wall_ns = 0;
	history_free(history);
	free_rows();
	return 0;
}

#define CONTAINERS                                                                                 \
	"{'namespace':'shop','pod':'web-7d4b9c6f5-x2x8k','container':'web','cpu_wait':" HIST(      \
		380, 0.38,                                                                         \
		"[-32,370],[-24,10]") ",'cpu_usage':0.2,'cpu_context_switches':"                   \
				      "{'voluntary':400,'involuntary':20},'cpu_wait_caused':[{'"   \
				      "namespace':'ml','pod':'train-0',"                           \
				      "'container':'train','seconds':0.243}]},"                    \
				      "{'namespace':'ml','pod':'train-0','container':'train','"    \
				      "cpu_wait':" HIST(50, 0.05, "[-32,50]") ",'cpu_usage':0.93}"

/* Draws a screen of the rows there are. */
static void draw_screen(int height, int width)
{
	struct grid grid = {0};
	size_t size;
	FILE *out;
	int y;

	free(screen);
	view.ui = &ui;
	view.rows = &rows;
	view.node = &reading_now.node;
	view.history = history;
	view.source = "serve at /run/bramble/bramble.sock";
	if (!view.trouble)
		view.trouble = "";
	view.now_ns = 100 * NS_PER_S;
	view.now_wall_ns = wall_ns;
	columns_sort(&rows, ui.sort, ui.reverse);
	ui_follow(&ui, &rows, draw_table_rows(height, width));
	assert_int_equal(grid_resize(&grid, height, width), 0);
	draw(&grid, &view);
	out = open_memstream(&screen, &size);
	grid_print(&grid, out);
	fclose(out);
	for (y = 0; y < height * width; y++)
		assert_true(grid.cells[y].style < STYLES);
	grid_free(&grid);
}

static void check_has(const char *text)
{
	if (!strstr(screen, text))
		fail_msg("\"%s\" is not on the screen:\n%s", text, screen);
}

static void check_has_not(const char *text)
{
	if (strstr(screen, text))
		fail_msg("\"%s\" is on the screen:\n%s", text, screen);
}

static void test_80x24(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	draw_screen(24, 80);
	assert_string_equal(
		screen,
		"bramble top  00:00:00  every 1 s, by container  row 1 of 2  serve at /run/brambl\n"
		"load -  mem -  -\u00b0C  throttled -  missing: block fsync tcp memory blocked\n"
		"NAME                  CPU% WAIT%    W99 TIME GOES  CAUSED BY        WAIT/s CSW/s\n"
		"shop/web-~-x2x8k/web    20    38   16ms CCCCCCCCCC 64% ml/tr~/train    380   420\n"
		"ml/train-0/train        93   5.0  3.9ms CCCCCCCCCC .                    50     0\n"
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
		"shop/web-7d4b9c6f5-x2x8k/web waited 38 % of the last 1 s for CPU, 64 % of that\n"
		"while ml/train-0/train ran; not measured: throttled, disk, fsync, network,\n"
		"memory, blocked.\n"
		"C CPU  T throttled  D disk  F fsync  N network  M memory  B blocked\n"
		"q quit  Enter open  / filter  s sort  g group  Space freeze  +- interval  ? "
		"help\n");
}

/* An unusual order is also said in words. */
static void test_what_it_is_sorted_by(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	ui.sort = COLUMN_SWITCHES;
	ui.reverse = true;
	draw_screen(20, 80);
	check_has("by container, sorted by switches, reversed");
}

static void test_60x20(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	draw_screen(20, 60);
	check_has("NAME                  CPU% WAIT% TIME GOES  CAUSED BY");
	check_has("shop/web-~-x2x8k/web    20    38 CCCCCCCCCC");
	check_has("shop/web-7d4b9c6f5-x2x8k/web waited 38 % of the last 1 s for");
	check_has("CPU  Throttled  Disk  Fsync  Network  Memory  Blocked");
}

static void test_200x50(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	draw_screen(50, 200);
	check_has("WHERE TIME GOES");
	check_has("shop/web-7d4b9c6f5-x2x8k/web");
	check_has("64% ml/train-0/train");
	check_has("FSYNC");
	check_has("missing: block fsync tcp memory");
	check_has("shop/web-7d4b9c6f5-x2x8k/web waited 38 % of the last 1 s for CPU, 64 % of that "
		  "while ml/train-0/train ran; not measured: ");
}

/* Whatever the size, nothing is written beyond it (ASan), and something is shown. */
static void test_any_size(void **state)
{
	static const enum ui_page pages[] = {PAGE_TABLE, PAGE_ROW, PAGE_HELP};
	int height, width;
	size_t i;

	(void)state;
	make_rows(1, CONTAINERS);
	assert_int_equal(history_add(history, &rows, 0), 0);
	for (i = 0; i < 3; i++) {
		ui.page = pages[i];
		for (height = 1; height < 60; height += height < 12 ? 1 : 9)
			for (width = 1; width < 210; width += width < 20 ? 1 : 17)
				draw_screen(height, width);
	}
}

static void test_node(void **state)
{
	(void)state;
	make_rows_of("{'time_seconds':1,'containers':[]}",
		     "{'time_seconds':2,'containers':[],'probes':{'sched':true,'block':true,"
		     "'fsync':true,'tcp':false,'memory':true,'blocked':true},"
		     "'node':{'cpus':4,'load1':3.2,'load5':2.75,'load15':1.9,"
		     "'memory_total_bytes':4000,'memory_available_bytes':1000,"
		     "'temperature_celsius':[{'chip_name':'cpu-thermal','value':71.4}],"
		     "'throttled':[{'reason':'under_voltage','value':1},"
		     "{'reason':'temperature','value':1},{'reason':'other','value':0}]}}",
		     ROW_LEVEL_CONTAINER);
	draw_screen(24, 100);
	check_has(
		"load 3.2 2.8 1.9 of 4  mem 75%  71\u00b0C  THROTTLED: under_voltage temperature  "
		"missing: tcp cgroup\n");
	check_has("(nothing ran)");
	ui.filter[0] = 'x';
	draw_screen(24, 100);
	check_has("(nothing that ran matches the filter)");
	check_has("filter: x");
}

static void test_trouble(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	view.trouble = "the reply is not what docs/api.md says";
	view.stale_seconds = 12;
	draw_screen(24, 120);
	check_has("serve at /run/bramble/bramble.sock cannot be read, trying again; this is 12 s");
	view.gone = true;
	view.trouble = "cannot read s.sock: Connection refused";
	draw_screen(24, 120);
	check_has("serve at /run/bramble/bramble.sock is gone, trying again; this is 12 s old "
		  "(cannot "
		  "read s.sock: Connection refused)");
	check_has("shop/web-7d4b9c6f5"); /* what was known stays */
	view.busy = true;
	view.trouble = "no answer yet";
	draw_screen(24, 120);
	check_has(
		"serve at /run/bramble/bramble.sock is busy, waiting for it; this is 12 s old (no "
		"answer yet)");
	view.busy = false;
	view.gone = false;
	view.trouble = "";
}

static void test_before_the_first_interval(void **state)
{
	struct grid grid = {0};
	struct view first = {.ui = &ui, .history = history, .source = "s", .trouble = ""};
	size_t size;
	FILE *out;

	(void)state;
	assert_int_equal(grid_resize(&grid, 24, 80), 0);
	draw(&grid, &first);
	out = open_memstream(&screen, &size);
	grid_print(&grid, out);
	fclose(out);
	grid_free(&grid);
	check_has("the first interval is not over yet");
	check_has("load -");
}

static void test_the_page_of_a_row(void **state)
{
	int i;

	(void)state;
	make_rows(1, CONTAINERS);
	for (i = 0; i < 30; i++)
		assert_int_equal(history_add(history, &rows, (10 + (uint64_t)i) * NS_PER_S), 0);
	draw_screen(24, 80);
	ui.page = PAGE_ROW;
	wall_ns = 100 * NS_PER_S;
	draw_screen(24, 80);
	check_has("wait for a CPU  (darkest: 370 in one place)");
	check_has(" 3.9ms \u2502\u2588\u2588\u2588");
	check_has("-30 s");
	check_has("now");
	check_has("ran while it waited for CPU");
	check_has("7.3s ml/train-0/train");
	check_has("recent events");
	check_has("00:00:10 waits for CPU, 38 %: ml/train-");
	/* Once the clock is set, events have their time by it: this one was 90 s ago. */
	wall_ns = 1000 * NS_PER_S;
	draw_screen(24, 80);
	check_has("00:15:10 waits for CPU, 38 %: ml/train-");
	check_has("bramble top  00:16:40");
	ui.page = PAGE_TABLE;
	snprintf(ui.selected, sizeof(ui.selected), "ml/train-0/train");
	ui.page = PAGE_ROW;
	draw_screen(24, 80);
	check_has("waited for CPU while it ran");
	check_has("7.3s shop/web-7d4b9c6f5-x2x8k/web");
	/* A row that does not run at the moment. */
	rows_filter(&rows, "shop");
	draw_screen(24, 80);
	check_has("ml/train-0/train did not run in the last interval.");
	check_has("wait for a CPU");
}

static void test_help(void **state)
{
	int i;

	(void)state;
	make_rows(1, CONTAINERS);
	ui.page = PAGE_HELP;
	draw_screen(24, 80);
	for (i = COLUMN_NAME + 1; i < COLUMNS_ALL; i++) {
		check_has(column_list[i].title);
		check_has(column_list[i].help);
	}
	check_has("-  not measured    .  measured, and nothing happened");
	check_has("sort by another column");
	draw_screen(20, 60);
	check_has("filter names by a regex");
}

static void test_typing_a_filter(void **state)
{
	(void)state;
	make_rows(1, CONTAINERS);
	ui.editing = true;
	snprintf(ui.typed, sizeof(ui.typed), "we(");
	draw_screen(24, 80);
	check_has("filter (regular expression): we(_\n");
	ui.typed_wrong = true;
	draw_screen(24, 80);
	check_has("we(_  this is no regular expression");
}

/* Names of any kind stay in their columns. */
static void test_odd_names(void **state)
{
	(void)state;
	make_rows(
		1,
		"{'unit':'\\u6f22\\u5b57\\u6f22\\u5b57\\u6f22\\u5b57\\u6f22\\u5b57\\u6f22\\u5b57"
		"\\u6f22\\u5b57','tcp_retransmits':1},{'unit':'a\\u001b[2Jb','tcp_retransmits':1}");
	draw_screen(24, 80);
	check_has("a?[2Jb");
	check_has_not("\x1b");
	check_has("\u6f22\u5b57\u6f22\u5b57");
}

static void test_rows_of_lines(void **state)
{
	(void)state;
	assert_int_equal(draw_row_of_line(24, 80, 2), -1);
	assert_int_equal(draw_row_of_line(24, 80, 3), 0);
	assert_int_equal(draw_row_of_line(24, 80, 18), 15);
	assert_int_equal(draw_row_of_line(24, 80, 19), -1);
	assert_int_equal(draw_table_rows(24, 80), 16);
	assert_int_equal(draw_table_rows(1, 1), 1);
}

/* ---------------------------------------------------------------- without a terminal */

static void test_printed_table(void **state)
{
	size_t size;
	FILE *out = open_memstream(&screen, &size);

	(void)state;
	make_rows(1, CONTAINERS);
	columns_sort(&rows, COLUMN_WAIT, false);
	assert_int_equal(top_print_table(&rows, 80, out), 0);
	fclose(out);
	assert_string_equal(
		screen,
		"NAME                  CPU% WAIT%    W99 TIME GOES  CAUSED BY        WAIT/s CSW/s\n"
		"shop/web-~-x2x8k/web    20    38   16ms CCCCCCCCCC 64% ml/tr~/train    380   420\n"
		"ml/train-0/train        93   5.0  3.9ms CCCCCCCCCC .                    50     "
		"0\n");
}

static double real(const json_t *object, const char *key)
{
	assert_true(json_is_real(json_object_get(object, key)));
	return json_real_value(json_object_get(object, key));
}

static void test_json(void **state)
{
	size_t size;
	FILE *out = open_memstream(&screen, &size);
	const json_t *row, *wait;
	json_t *root;

	(void)state;
	make_rows(2, CONTAINERS ",{'unit':'u','cpu_wait':" HIST(1, 200, "[29,1]") "}");
	columns_sort(&rows, COLUMN_NAME, true);
	assert_int_equal(top_print_json(&rows, out), 0);
	fclose(out);
	assert_ptr_equal(strchr(screen, '\n'), screen + size - 1);
	root = json_loads(screen, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_true(real(root, "interval_seconds") == 2);
	row = json_array_get(json_object_get(root, "containers"), 1);
	assert_string_equal(json_string_value(json_object_get(row, "pod")), "web-7d4b9c6f5-x2x8k");
	assert_null(json_object_get(row, "unit"));
	wait = json_object_get(row, "cpu_wait");
	assert_true(real(wait, "ratio") == 0.19);
	assert_true(real(wait, "per_second") == 190);
	assert_true(real(wait, "p50_seconds") == exp2(-8));
	assert_true(real(row, "cpu_usage_ratio") == 0.1);
	assert_true(json_is_null(json_object_get(row, "fsync"))); /* not measured */
	assert_true(json_is_null(json_object_get(row, "tcp_retransmits_per_second")));
	assert_true(real(json_object_get(row, "waits"), "CPU") == 0.19);
	assert_true(json_is_null(json_object_get(json_object_get(row, "waits"), "fsync")));
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(row, "caused_by"), 0), "name")),
			    "ml/train-0/train");
	assert_non_null(strstr(json_string_value(json_object_get(row, "sentence")), "waited 19 %"));
	row = json_array_get(json_object_get(root, "containers"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "unit")), "u");
	wait = json_object_get(row, "cpu_wait");
	assert_true(json_is_null(json_object_get(wait, "p99_seconds"))); /* no bound */
	json_decref(root);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_80x24),
		TEST(test_what_it_is_sorted_by),
		TEST(test_60x20),
		TEST(test_200x50),
		TEST(test_any_size),
		TEST(test_node),
		TEST(test_trouble),
		TEST(test_before_the_first_interval),
		TEST(test_the_page_of_a_row),
		TEST(test_help),
		TEST(test_typing_a_filter),
		TEST(test_odd_names),
		TEST(test_rows_of_lines),
		TEST(test_printed_table),
		TEST(test_json),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8") || setenv("TZ", "UTC", 1))
		return 1;
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
