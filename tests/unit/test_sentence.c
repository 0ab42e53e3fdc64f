/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Known causes: the bar and the sentence name the right one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "readings.h"
#include "diagnose/sentence.h"
#include "diagnose/waits.h"

static struct buf said;

static int teardown(void **state)
{
	(void)state;
	buf_free(&said);
	free_rows();
	return 0;
}

/* Everything is measured, and nothing happened: what the others come on top of. */
#define QUIET                                                                                                                                              \
	"{'unit':'quiet','cpu_wait':" HIST(                                                                                                                \
		1, 0, "[-80,1]") ",'cpu_usage':0.001,'cpu_throttled':0,"                                                                                   \
				 "'block_io':[{'device':'sda','op':'read','value':" HIST(                                                                  \
					 0, 0, "") "}],"                                                                                                   \
						   "'block_queue':[{'device':'sda','op':'read','"                                                          \
						   "value':" HIST(0, 0,                                                                                    \
								  "") "}],"                                                                                \
								      "'fsync':" HIST(0, 0, "") ",'tcp_connect':" HIST(                                    \
									      0, 0,                                                                        \
									      "") ","                                                                      \
										  "'tcp_response'"                                                         \
										  ":{'server'"                                                             \
										  ":" HIST(0, 0, "") ",'client':" HIST(                                    \
											  0, 0,                                                            \
											  "") "},"                                                         \
											      "'m"                                                         \
											      "em"                                                         \
											      "or"                                                         \
											      "y_"                                                         \
											      "st"                                                         \
											      "al"                                                         \
											      "l'"                                                         \
											      ":" HIST(                                                    \
												      0,                                                   \
												      0,                                                   \
												      "") ",'tcp_retransmits':0,'tcp_connect_failures':0," \
													  "'task_blocked':" HIST(                          \
														  0,                                       \
														  0,                                       \
														  "") ",'memory_oom_kills':0}"

#define WEB "{'namespace':'shop','pod':'web-0','container':'web',"

/* What is said of a row, in an interval of 10 s. */
static void check_said(const char *containers, const char *name, const char *expected)
{
	struct finding finding;

	make_rows(10, containers);
	buf_free(&said);
	finding_make(&rows, row_of(name), &finding);
	finding_sentence(&said, &finding);
	assert_false(buf_failed(&said));
	assert_string_equal(said.data, expected);
}

/* The bar's letters, in 10 cells; "" for none. */
static void check_bar(const char *name, const char *expected)
{
	int share[WAIT_CAUSES], i, n;
	char bar[16] = "";
	struct waits waits;

	waits_find(row_of(name), &waits);
	if (waits_bar(&waits, rows.seconds, 10, share))
		for (i = 0; i < WAIT_CAUSES; i++)
			for (n = 0; n < share[i]; n++)
				bar[strlen(bar)] = cause_kinds[i].letter;
	assert_string_equal(bar, expected);
}

static void test_cpu_hog_and_victim(void **state)
{
	static const char text[] = QUIET "," WEB "'cpu_wait':" HIST(
		1000, 3.8, "[-32,1000]") ",'cpu_wait_caused':["
					 "{'namespace':'ml','pod':'train-0','container':'train','"
					 "seconds':2.432},"
					 "{'unit':'kernel','seconds':0.1}]},"
					 "{'namespace':'ml','pod':'train-0','container':'train','"
					 "cpu_usage':9.8,'cpu_wait':" HIST(10, 0.05,
									   "[-32,10]") "}";

	(void)state;
	check_said(text, "shop/web-0/web",
		   "shop/web-0/web waited 38 % of the last 10 s for CPU, 64 % of that while "
		   "ml/train-0/train ran.");
	check_bar("shop/web-0/web", "CCCCCCCCCC");
	check_said(text, "ml/train-0/train",
		   "ml/train-0/train hardly waited in the last 10 s: it ran, on 98 % of a CPU; "
		   "others waited 24 % for CPU while it ran, shop/web-0/web most of all.");
	check_bar("ml/train-0/train", "");
}

static void test_two_hogs(void **state)
{
	(void)state;
	check_said(QUIET ",{'unit':'a','cpu_usage':4,'cpu_wait':" HIST(
			   100, 14, "[-8,100]") ",'cpu_wait_caused':[{'unit':'b','seconds':7},{'"
						"unit':'c','seconds':6},"
						"{'unit':'d','seconds':1}]}",
		   "a",
		   "a waited 140 % of the last 10 s for CPU, 50 % of that while b ran and 43 % "
		   "while c ran.");
	check_bar("a", "CCCCCCCCCC");
}

static void test_its_own_tasks(void **state)
{
	(void)state;
	check_said(QUIET ",{'unit':'a','cpu_wait':" HIST(
			   100, 5, "[-12,100]") ",'cpu_wait_caused':[{'unit':'a','seconds':4.9}]}",
		   "a",
		   "a waited 50 % of the last 10 s for CPU, 98 % of that while its own other "
		   "tasks ran.");
}

static void test_throttled(void **state)
{
	(void)state;
	check_said(QUIET
		   "," WEB
		   "'cpu_throttled':6,'cpu_usage':2,'cpu_wait':" HIST(100, 0.2, "[-36,100]") "}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 60 % of the last 10 s because of its own CPU limit "
		   "(throttled).");
	check_bar("shop/web-0/web", "TTTTTTTTTT");
}

/* The disk's writes behind an fsync are not counted a second time. */
static void test_fsync_writer(void **state)
{
	(void)state;
	check_said(QUIET "," WEB "'fsync':" HIST(
			   80, 9,
			   "[-12,79],[-8,1]") ",'block_io':["
					      "{'device':'mmcblk0','op':'write','value':" HIST(
						      160, 8,
						      "[-16,160]") "},"
								   "{'device':'mmcblk0','op':'"
								   "flush','value':" HIST(
									   80, 1, "[-24,80]") "}]}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 90 % of the last 10 s for fsync (8 calls/s, 99 of 100 "
		   "took up to 250ms).");
	check_bar("shop/web-0/web", "FFFFFFFFFF");
}

static void test_direct_reader(void **state)
{
	(void)state;
	check_said(
		QUIET "," WEB "'block_io':[{'device':'mmcblk0','op':'read','value':" HIST(
			5000, 6, "[-38,5000]") "}],'block_queue':[{'device':'mmcblk0','op':'read',"
					       "'value':" HIST(5000, 1.5, "[-46,5000]") "}]}",
		"shop/web-0/web",
		"shop/web-0/web waited 75 % of the last 10 s for the disk (500 reads/s, 99 of 100 "
		"took up to 1.4ms).");
	check_bar("shop/web-0/web", "DDDDDDDDDD");
}

/* Written back while nobody waits. */
static void test_buffered_writer(void **state)
{
	(void)state;
	check_said(QUIET "," WEB
			 "'cpu_usage':1,'block_io':[{'device':'mmcblk0','op':'write','value':" HIST(
				 640, 300, "[-4,640]") "}]}",
		   "shop/web-0/web", "shop/web-0/web hardly waited in the last 10 s.");
	check_bar("shop/web-0/web", "");
}

static void test_client_of_a_slow_peer(void **state)
{
	(void)state;
	check_said(QUIET "," WEB "'tcp_response':{'server':" HIST(0, 0, "") ",'client':" HIST(
			   80, 9.6, "[-12,80]") "}}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 96 % of the last 10 s for answers of network peers (8 "
		   "answers/s, 99 of 100 took up to 125ms).");
	check_bar("shop/web-0/web", "NNNNNNNNNN");
}

static void test_connections_that_do_not_open(void **state)
{
	(void)state;
	check_said(QUIET "," WEB "'tcp_connect':" HIST(3, 6, "[4,3]") ",'tcp_connect_failures':2}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 60 % of the last 10 s for connections to be opened (0.3 "
		   "connections/s, 99 of 100 took up to 2.0s); 2 connections failed.");
	check_bar("shop/web-0/web", "NNNNNNNNNN");
}

/* It sleeps over its answers: nothing that is measured keeps it. */
static void test_slow_server(void **state)
{
	(void)state;
	check_said(
		QUIET "," WEB "'tcp_response':{'server':" HIST(
			80, 9.6, "[-12,80]") ",'client':" HIST(0, 0, "") "}}",
		"shop/web-0/web",
		"shop/web-0/web hardly waited in the last 10 s; of its own answers 99 of 100 took "
		"up to 125ms, for none of these reasons: the time is its own.");
	check_bar("shop/web-0/web", "");
}

/* A server that is slow because its disk is. */
static void test_server_with_a_slow_disk(void **state)
{
	(void)state;
	check_said(QUIET "," WEB
			 "'tcp_response':{'server':" HIST(80, 9.6, "[-12,80]") ",'client':" HIST(
				 0, 0, "") "},'fsync':" HIST(80, 9, "[-12,80]") "}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 90 % of the last 10 s for fsync (8 calls/s, 99 of 100 "
		   "took up "
		   "to 125ms); of its own answers 99 of 100 took up to 125ms.");
}

static void test_memory(void **state)
{
	(void)state;
	check_said(QUIET "," WEB "'memory_stall':" HIST(30, 4, "[-8,30]") ",'memory_oom_kills':1}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 40 % of the last 10 s for memory (3 stalls/s, 99 of 100 "
		   "took "
		   "up to 250ms); 1 killed for lack of memory.");
	check_bar("shop/web-0/web", "MMMMMMMMMM");
	/* Without the probe, by the kernel's pressure. */
	check_said("{'unit':'a','cpu_wait':" HIST(
			   1, 0, "[-80,1]") ",'cpu_throttled':0,"
					    "'pressure':{'memory':{'some':3,'full':1}}}",
		   "a",
		   "a waited 30 % of the last 10 s for memory to be reclaimed; not measured: disk, "
		   "fsync, network, blocked.");
}

static void test_blocked(void **state)
{
	(void)state;
	check_said(QUIET "," WEB "'task_blocked':" HIST(30, 4, "[-8,30]") "}", "shop/web-0/web",
		   "shop/web-0/web waited 40 % of the last 10 s blocked in the kernel, for a "
		   "reason that is not measured (3 sleeps/s, 99 of 100 took up to 250ms).");
	check_bar("shop/web-0/web", "BBBBBBBBBB");
}

static void test_lost_packets(void **state)
{
	(void)state;
	check_said(QUIET
		   "," WEB
		   "'tcp_retransmits':50,'tcp_response':{'client':" HIST(10, 2, "[-8,10]") "}}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 20 % of the last 10 s for answers of network peers (1 "
		   "answers/s, 99 of 100 took up to 250ms); the network lost packets (5 "
		   "retransmits/s).");
}

static void test_idle(void **state)
{
	(void)state;
	check_said(QUIET, "quiet", "quiet hardly waited in the last 10 s.");
	check_bar("quiet", "");
}

/* What is not measured could be the reason: it is named. */
static void test_missing_probes(void **state)
{
	(void)state;
	check_said(
		"{'unit':'a','cpu_wait':" HIST(10, 0.001, "[-52,10]") "}", "a",
		"a hardly waited in the last 10 s; not measured: throttled, disk, fsync, network, "
		"memory, blocked.");
}

static void test_two_causes(void **state)
{
	(void)state;
	check_said(QUIET
		   "," WEB
		   "'cpu_wait':" HIST(100, 2, "[-20,100]") ",'fsync':" HIST(10, 3, "[-4,10]") "}",
		   "shop/web-0/web",
		   "shop/web-0/web waited 30 % of the last 10 s for fsync (1 calls/s, 99 of 100 "
		   "took up "
		   "to 500ms), and 20 % for CPU.");
	check_bar("shop/web-0/web", "CCCCFFFFFF");
}

/* Cells add up whatever the shares are, and more seconds never get fewer cells. */
static void test_shares(void **state)
{
	int cells, share[WAIT_CAUSES], i, sum, trial;
	unsigned int seed = 1;

	(void)state;
	for (trial = 0; trial < 2000; trial++) {
		struct waits waits = {0};

		for (i = 0; i < WAIT_CAUSES; i++) {
			seed = seed * 1103515245 + 12345;
			waits.seconds[i] = (seed >> 16) % 7 ? 0 : (seed >> 20) % 1000;
			waits.total += waits.seconds[i];
		}
		cells = (int)(seed >> 12) % 30;
		if (!waits_bar(&waits, 1, cells, share)) {
			assert_true(waits.total < WAITS_LEAST);
			continue;
		}
		for (i = sum = 0; i < WAIT_CAUSES; i++) {
			int n;

			sum += share[i];
			assert_true(share[i] >= 0);
			assert_true(waits.seconds[i] > 0 || share[i] == 0);
			for (n = 0; n < WAIT_CAUSES; n++)
				assert_true(waits.seconds[n] <= waits.seconds[i] ||
					    share[n] >= share[i]);
		}
		assert_int_equal(sum, cells);
	}
}

/* An answer that took a minute is not a minute of waiting in one second. */
static void test_long_waits_count_once(void **state)
{
	struct waits waits;

	(void)state;
	make_rows(1, QUIET "," WEB "'tcp_response':{'client':" HIST(
			     1, 60, "[24,1]") "},'cpu_wait':" HIST(10, 0.5, "[-16,10]") "}");
	waits_find(row_of("shop/web-0/web"), &waits);
	assert_true(near(waits.seconds[WAIT_NETWORK], 1));
	assert_true(near(waits.seconds[WAIT_CPU], 0.5));
	check_bar("shop/web-0/web", "CCCNNNNNNN");
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cpu_hog_and_victim),
		TEST(test_two_hogs),
		TEST(test_its_own_tasks),
		TEST(test_throttled),
		TEST(test_fsync_writer),
		TEST(test_direct_reader),
		TEST(test_buffered_writer),
		TEST(test_client_of_a_slow_peer),
		TEST(test_connections_that_do_not_open),
		TEST(test_slow_server),
		TEST(test_server_with_a_slow_disk),
		TEST(test_memory),
		TEST(test_blocked),
		TEST(test_lost_packets),
		TEST(test_idle),
		TEST(test_missing_probes),
		TEST(test_two_causes),
		TEST(test_shares),
		TEST(test_long_waits_count_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
