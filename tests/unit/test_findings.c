/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The ranked list: who waited, for what, how much, because of whom, since when, by what evidence.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "diagnose/diagnose.h"
#include "readings.h"
#include "util/array.h"

static struct findings findings;
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
	findings_free(&findings);
	free_rows();
	return 0;
}

#define ASKS(sum) "'tcp_response':{'client':" HIST(100, sum, "[0,100]") "}"

/* In an interval of 10 s, from 100 s on. */
static void find(const char *containers)
{
	make_rows(10, containers);
	findings_free(&findings);
	assert_int_equal(findings_find(&rows, NULL, &findings), 0);
}

static const struct finding *finding_of(const char *name)
{
	size_t i;

	for (i = 0; i < findings.count; i++)
		if (strcmp(findings.list[i].name, name) == 0)
			return &findings.list[i];
	fail_msg("no finding of %s", name);
	return NULL;
}

static void check_order(const char *const *names, size_t count)
{
	size_t i;

	assert_int_equal(findings.count, count);
	for (i = 0; i < count; i++)
		assert_string_equal(findings.list[i].name, names[i]);
}

/* By all that each waited for; the same seconds, by name; who did not wait comes last. */
static void test_order(void **state)
{
	/* clang-format off */
	static const char text[] =
		"{'unit':'quiet','cpu_usage':1},"
		"{'unit':'d','fsync':" HIST(4, 2, "[-4,4]") "},"
		"{'unit':'b','fsync':" HIST(4, 2, "[-4,4]") "},"
		"{'unit':'c','cpu_throttled':2},"
		"{'unit':'sum','cpu_throttled':1,'fsync':" HIST(4, 2, "[-4,4]") "},"
		"{'unit':'worst','cpu_wait':" HIST(100, 40, "[0,100]") "}";
	/* clang-format on */
	static const char *const names[] = {"worst", "sum", "b", "c", "d", "quiet"};

	(void)state;
	find(text);
	check_order(names, ARRAY_SIZE(names));
	assert_true(near(findings.list[0].seconds, 40));
	assert_true(near(findings.list[0].share, 4)); /* several tasks */
	assert_true(near(findings.list[1].seconds, 3));
	assert_true(near(findings.list[5].seconds, 0));
	assert_int_equal(findings.list[5].main_count, 0);
	find("");
	assert_int_equal(findings.count, 0);
}

/* The worst waits are named, the longest first; a second one from a quarter of all on. */
static void test_more_than_one_wait(void **state)
{
	const struct finding *finding;

	(void)state;
	/* clang-format off */
	find("{'unit':'two','cpu_throttled':1,'fsync':" HIST(4, 2, "[-4,4]") "},"
	     "{'unit':'one','cpu_throttled':0.5,'fsync':" HIST(4, 2, "[-4,4]") "},"
	     "{'unit':'equal','cpu_throttled':2,'fsync':" HIST(4, 2, "[-4,4]") "},"
	     "{'unit':'least','fsync':" HIST(1, 0.1, "[-12,1]") "},"
	     "{'unit':'less','fsync':" HIST(1, 0.09, "[-12,1]") "}");
	/* clang-format on */
	finding = finding_of("two");
	assert_int_equal(finding->main_count, 2);
	assert_int_equal(finding->main[0], WAIT_FSYNC);
	assert_int_equal(finding->main[1], WAIT_THROTTLED);
	assert_true(near(finding->waits[WAIT_FSYNC].seconds, 2));
	assert_true(near(finding->waits[WAIT_FSYNC].share, 0.2));
	assert_true(near(finding->waits[WAIT_THROTTLED].share, 0.1));
	assert_int_equal(finding_of("one")->main_count, 1);
	finding = finding_of("equal");
	assert_int_equal(finding->main[0], WAIT_THROTTLED);
	assert_int_equal(finding->main[1], WAIT_FSYNC);
	assert_int_equal(finding_of("least")->main_count, 1);
	assert_int_equal(finding_of("less")->main_count, 0);
	assert_true(near(finding_of("less")->seconds, 0.09)); /* it is told all the same */
}

static void test_who(void **state)
{
	const struct finding *finding;

	(void)state;
	find("{'namespace':'shop','pod':'web-0','container':'web','workload':'web','cpu_usage':1}");
	finding = finding_of("shop/web-0/web");
	assert_string_equal(finding->labels.name_space, "shop");
	assert_string_equal(finding->labels.pod, "web-0");
	assert_string_equal(finding->labels.workload, "web");
	assert_int_equal(finding->members, 1);
	assert_ptr_equal(finding->row, row_of("shop/web-0/web"));
	assert_true(near(finding->interval_seconds, 10));
}

#define CAUSED(a, b, c)                                                                            \
	"{'unit':'x','cpu_wait':" HIST(100, 4,                                                     \
				       "[0,100]") ",'cpu_wait_caused':[{'unit':'b','seconds':" #b  \
						  "},{'unit':'a','seconds':" #a                    \
						  "},{'unit':'other','seconds':" #c "}]}"

static void check_causes(const char *containers, size_t main_causes)
{
	find(containers);
	assert_int_equal(finding_of("x")->main_causes, main_causes);
}

/* Because of whom: all of them with their shares, and which are worth a word. */
static void test_causes(void **state)
{
	const struct finding *finding;

	(void)state;
	check_causes(CAUSED(2, 1, 0.5), 2);
	finding = finding_of("x");
	assert_int_equal(finding->cause_count, 3);
	assert_string_equal(finding->causes[0].name, "a");
	assert_true(near(finding->causes[0].share, 0.5));
	assert_string_equal(finding->causes[1].name, "b");
	assert_true(near(finding->causes[1].share, 0.25));
	assert_string_equal(finding->causes[2].name, "other");
	assert_true(near(finding->causes[2].share, 0.125));
	check_causes(CAUSED(2, 0.99, 0.5), 1);
	check_causes(CAUSED(0.2, 0.1, 0.1), 1);
	check_causes(CAUSED(0.19, 0.1, 0.1), 0);
	/* Causes are read a moment after the waits. */
	check_causes(CAUSED(5, 0, 0), 1);
	assert_true(near(finding_of("x")->causes[0].share, 1));
	/* Nobody was seen to run meanwhile. */
	check_causes("{'unit':'x','cpu_wait':" HIST(100, 4, "[0,100]") "}", 0);
	assert_int_equal(finding_of("x")->cause_count, 0);
	assert_int_equal(finding_of("x")->main[0], WAIT_CPU);
}

/* Who kept them waiting is a finding, too. */
static void test_victims(void **state)
{
	const struct finding *finding;

	(void)state;
	find(CAUSED(2, 0.05, 0.5) ",{'unit':'a','cpu_usage':9.8},{'unit':'b','cpu_usage':4}");
	finding = finding_of("a");
	assert_true(finding->victims.are_many && finding->is_busy);
	assert_true(near(finding->victims.seconds, 2) && near(finding->victims.share, 0.2));
	assert_string_equal(finding->victims.worst, "x");
	assert_string_equal(finding->victims.worst_labels.unit, "x");
	assert_true(near(finding->cpu_usage, 0.98));
	finding = finding_of("b");
	assert_false(finding->victims.are_many || finding->is_busy);
	assert_string_equal(finding->victims.worst, "x");
	finding = finding_of("x");
	assert_false(finding->victims.are_many);
	assert_null(finding->victims.worst);
}

static void check_hist(const struct finding *finding, enum wait_cause cause, enum signal_hist hist,
		       double count, double p99)
{
	const struct evidence *evidence = &finding->waits[cause].evidence;

	assert_true(finding->waits[cause].known && evidence->is_hist);
	assert_int_equal(evidence->hist, hist);
	assert_true(near(evidence->count, count));
	assert_true(near(evidence->per_second, count / 10));
	assert_true(evidence->p99_seconds == p99);
}

static void test_evidence(void **state)
{
	const struct finding *finding;

	(void)state;
	/* clang-format off */
	find("{'unit':'x','cpu_wait':" HIST(50, 4, "[-8,50]") ",'cpu_throttled':1,"
	     "'block_io':[{'device':'a','op':'read','value':" HIST(30, 1, "[-12,30]") "}],"
	     "'block_queue':[{'device':'a','op':'read','value':" HIST(20, 3, "[-8,20]") "}],"
	     "'fsync':" HIST(4, 500, "[29,4]") ",'memory_stall':" HIST(2, 1, "[-4,2]") ","
	     "'tcp_connect':" HIST(3, 6, "[4,3]") "," ASKS(5) "}");
	finding = finding_of("x");
	check_hist(finding, WAIT_CPU, SIGNAL_CPU_WAIT, 50, 0.25);
	assert_false(finding->waits[WAIT_THROTTLED].evidence.is_hist);
	assert_int_equal(finding->waits[WAIT_THROTTLED].evidence.counter, SIGNAL_CPU_THROTTLED);
	check_hist(finding, WAIT_DISK, SIGNAL_BLOCK_READ, 30, 0.125);
	check_hist(finding, WAIT_FSYNC, SIGNAL_FSYNC, 4, INFINITY);
	check_hist(finding, WAIT_NETWORK, SIGNAL_CONNECT, 3, 2);
	check_hist(finding, WAIT_MEMORY, SIGNAL_MEMORY_STALL, 2, 0.5);
	/* A task that reads, or waits for an fsync or for memory, is blocked meanwhile. */
	find("{'unit':'x','task_blocked':" HIST(8, 6, "[0,8]") "}");
	check_hist(finding_of("x"), WAIT_BLOCKED, SIGNAL_BLOCKED, 8, 1);
	assert_true(near(finding_of("x")->waits[WAIT_BLOCKED].seconds, 6));
	assert_int_equal(finding_of("x")->main[0], WAIT_BLOCKED);
	find("{'unit':'x','task_blocked':" HIST(8, 6, "[0,8]") ",'fsync':" HIST(4, 2, "[-4,4]")
	     ",'memory_stall':" HIST(2, 1, "[-4,2]")
	     ",'block_io':[{'device':'a','op':'read','value':" HIST(30, 1, "[-12,30]") "}]}");
	assert_true(near(finding_of("x")->waits[WAIT_BLOCKED].seconds, 2));
	find("{'unit':'x','task_blocked':" HIST(8, 6, "[0,8]") ",'fsync':" HIST(4, 7, "[4,4]") "}");
	assert_true(near(finding_of("x")->waits[WAIT_BLOCKED].seconds, 0));
	/* Of the two that are waits for the network, the longer. */
	find("{'unit':'x','tcp_connect':" HIST(3, 6, "[4,3]") "," ASKS(7) "}");
	check_hist(finding_of("x"), WAIT_NETWORK, SIGNAL_RESPONSE_CLIENT, 100, 1);
	/* Without the probe, the kernel's pressure. */
	find("{'unit':'x','pressure':{'memory':{'some':3,'full':1}}}");
	/* clang-format on */
	finding = finding_of("x");
	assert_int_equal(finding->main[0], WAIT_MEMORY);
	assert_false(finding->waits[WAIT_MEMORY].evidence.is_hist);
	assert_int_equal(finding->waits[WAIT_MEMORY].evidence.counter, SIGNAL_PRESSURE_MEMORY);
}

/* What nobody measures is not known: neither zero nor a reason. */
static void test_not_measured(void **state)
{
	const struct finding *finding;

	(void)state;
	find("{'unit':'x','fsync':" HIST(4, 2, "[-4,4]") "}");
	finding = finding_of("x");
	assert_true(finding->waits[WAIT_FSYNC].known);
	assert_false(finding->waits[WAIT_CPU].known || finding->waits[WAIT_THROTTLED].known ||
		     finding->waits[WAIT_DISK].known || finding->waits[WAIT_NETWORK].known ||
		     finding->waits[WAIT_MEMORY].known || finding->waits[WAIT_BLOCKED].known);
	assert_true(near(finding->waits[WAIT_CPU].seconds, 0));
	assert_false(finding->troubles[TROUBLE_OOM_KILLS].known ||
		     finding->troubles[TROUBLE_LOST_PACKETS].known ||
		     finding->troubles[TROUBLE_CONNECT_FAILURES].known ||
		     finding->troubles[TROUBLE_RESETS].known);
	assert_true(isnan(finding->cpu_usage));
	assert_false(finding->answers.are_slow);
}

static void check_trouble(const struct finding *finding, enum trouble trouble, double count,
			  bool bad)
{
	const struct finding_trouble *found = &finding->troubles[trouble];

	assert_true(found->known);
	assert_int_equal(found->is_bad, bad);
	assert_true(near(found->count, count) && near(found->per_second, count / 10));
}

static void test_troubles(void **state)
{
	const struct finding *finding;

	(void)state;
	find("{'unit':'x','memory_oom_kills':2,'tcp_retransmits':10,'tcp_connect_failures':3,"
	     "'tcp_resets':4},{'unit':'y','cpu_usage':1,'tcp_retransmits':9}");
	finding = finding_of("x");
	check_trouble(finding, TROUBLE_OOM_KILLS, 2, true);
	check_trouble(finding, TROUBLE_LOST_PACKETS, 10, true);
	check_trouble(finding, TROUBLE_CONNECT_FAILURES, 3, true);
	check_trouble(finding, TROUBLE_RESETS, 4, true);
	finding = finding_of("y");
	check_trouble(finding, TROUBLE_OOM_KILLS, 0, false);
	check_trouble(finding, TROUBLE_LOST_PACKETS, 9, false); /* less than one a second */
	check_trouble(finding, TROUBLE_RESETS, 0, false);
	/* The cgroup's files count kills, too. */
	find("{'unit':'x','memory_events':{'oom_kill':1}}");
	check_trouble(finding_of("x"), TROUBLE_OOM_KILLS, 1, true);
}

static void check_answers(const char *waits, enum own_time own)
{
	char text[512];

	/* clang-format off */
	snprintf(text, sizeof(text), "{'unit':'x',%s'tcp_response':{'server':"
		 HIST(100, 10, "[-12,100]") "}}", waits);
	/* clang-format on */
	find(text);
	assert_true(finding_of("x")->answers.are_slow);
	assert_true(finding_of("x")->answers.p99_seconds == 0.125);
	assert_int_equal(finding_of("x")->answers.own, own);
}

/* Its own slow answers, and how much of them is explained by what it waited for. */
static void test_answers(void **state)
{
	(void)state;
	check_answers("", OWN_TIME_ALL);
	check_answers("'cpu_throttled':0.9,", OWN_TIME_ALL);
	check_answers("'cpu_throttled':1,", OWN_TIME_MOST);
	check_answers("'cpu_throttled':4.9,", OWN_TIME_MOST);
	check_answers("'cpu_throttled':5,", OWN_TIME_LITTLE);
	/* 2^(-18/4) s is less than 50 ms, 2^(-17/4) s is more. */
	find("{'unit':'x','tcp_response':{'server':" HIST(1, 0.04, "[-18,1]") "}}");
	assert_false(finding_of("x")->answers.are_slow);
	find("{'unit':'x','tcp_response':{'server':" HIST(1, 0.05, "[-17,1]") "}}");
	assert_true(finding_of("x")->answers.are_slow);
}

/* ---------------------------------------------------------------- since when */

static double now_seconds;

/* The next second, in which 'a' and 'b' of one pod were throttled and waited for fsync so long. */
static void next(double a_throttled, double a_fsync, double b_throttled, enum row_level level,
		 bool is_taken_in)
{
	/* clang-format off */
	static const char format[] =
		"{'time_seconds':%.0f,'containers':["
		"{'namespace':'n','pod':'p','container':'a','cpu_usage':%g,'cpu_throttled':%g,"
		"'fsync':{'count':1,'sum_seconds':%g,'buckets':[[0,1]]}},"
		"{'namespace':'n','pod':'p','container':'b','cpu_usage':%g,'cpu_throttled':%g}]}";
	/* clang-format on */
	char text[512], empty[128];

	snprintf(empty, sizeof(empty), "{'time_seconds':%.0f,'containers':[]}", now_seconds);
	now_seconds++;
	snprintf(text, sizeof(text), format, now_seconds, 0.1, a_throttled, a_fsync, 0.1,
		 b_throttled);
	make_rows_begun(empty, text, ROW_LEVEL_CONTAINER);
	if (is_taken_in)
		assert_int_equal(history_add(history, &rows, (uint64_t)now_seconds), 0);
	make_rows_begun(empty, text, level);
	findings_free(&findings);
	assert_int_equal(findings_find(&rows, history, &findings), 0);
}

static double since(const char *name, enum wait_cause cause)
{
	return finding_of(name)->waits[cause].since_seconds;
}

static void test_since_when(void **state)
{
	(void)state;
	/* Without a history, since the interval's beginning. */
	find("{'unit':'x','cpu_throttled':2}");
	assert_true(since("x", WAIT_THROTTLED) == 100);
	now_seconds = 200;
	next(0.5, 0, 0, ROW_LEVEL_CONTAINER, true);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 200);
	next(0.5, 0.5, 0, ROW_LEVEL_CONTAINER, true);
	next(0.01, 0.5, 0, ROW_LEVEL_CONTAINER, true);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 200);
	assert_true(since("n/p/a", WAIT_FSYNC) == 201);
	/* An interval with less than a hundredth ends it. */
	next(0.009, 0.5, 0, ROW_LEVEL_CONTAINER, true);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 203);
	assert_true(since("n/p/a", WAIT_FSYNC) == 201);
	next(0.5, 0, 0, ROW_LEVEL_CONTAINER, true);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 204);
	assert_true(since("n/p/a", WAIT_FSYNC) == 204);
}

/* The interval need not be taken in by the history yet. A gap in what it has seen ends what lasts.
 */
static void test_since_when_with_gaps(void **state)
{
	(void)state;
	now_seconds = 200;
	next(0.5, 0, 0, ROW_LEVEL_CONTAINER, true);
	next(0.5, 0, 0, ROW_LEVEL_CONTAINER, false);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 200);
	next(0.5, 0, 0, ROW_LEVEL_CONTAINER, true);
	assert_true(since("n/p/a", WAIT_THROTTLED) == 202);
}

/* A pod waits since one of its containers does. */
static void test_since_when_of_a_pod(void **state)
{
	(void)state;
	now_seconds = 200;
	next(0.5, 0, 0, ROW_LEVEL_POD, true);
	next(0.5, 0, 0.5, ROW_LEVEL_POD, true);
	assert_true(since("n/p", WAIT_THROTTLED) == 200);
	next(0, 0, 0, ROW_LEVEL_POD, true);
	next(0, 0, 0.5, ROW_LEVEL_POD, true);
	assert_true(since("n/p", WAIT_THROTTLED) == 203);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_more_than_one_wait),
		TEST(test_who),
		TEST(test_causes),
		TEST(test_victims),
		TEST(test_evidence),
		TEST(test_not_measured),
		TEST(test_troubles),
		TEST(test_answers),
		TEST(test_since_when),
		TEST(test_since_when_with_gaps),
		TEST(test_since_when_of_a_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
