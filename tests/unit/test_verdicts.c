/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is said to be wrong, and what not: the levels, since when, because of whom; what the record
 * keeps, and what of it when there is too much; the answer of the API, and the text made of it.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "diagnose/telling.h"
#include "diagnose/verdict.h"
#include "readings.h"
#include "util/array.h"
#include "util/clock.h"
#include "why/answer.h"
#include "why/print.h"

#define SECONDS	       10 /* of an interval */
#define START	       1000.0

#define POD(pod)       "{'namespace':'shop','pod':'" pod "','container':'web',"
#define NAME(pod)      "shop/" pod "/web"
#define BY(pod, s)     "{'namespace':'ml','pod':'" pod "','container':'train','seconds':" #s "}"
#define CPU(sum, by)   "'cpu_wait':" HIST(1000, sum, "[-26,1000]") ",'cpu_wait_caused':[" by "]"
#define FSYNCS(sum)    "'fsync':" HIST(40, sum, "[-8,40]")
#define ASKS(sum, b)   "'tcp_response':{'client':" HIST(50, sum, b) "}"
#define SERVES(sum, b) "'tcp_response':{'server':" HIST(50, sum, b) "}"

static struct record *record;
static struct machine machine;
static struct verdicts verdicts;
static struct growers growers;
static double available; /* of the machine's memory */
static double now;	 /* the end of the last interval */

static int setup(void **state)
{
	(void)state;
	record = record_new();
	machine = (struct machine){0};
	growers.count = 0;
	available = 0.5;
	now = START;
	return record ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	verdicts_free(&verdicts);
	record_free(record);
	free_rows();
	return 0;
}

/* Adds intervals in which this was counted. */
static void add(int count, const char *containers)
{
	make_rows(SECONDS, containers);
	for (; count > 0; count--) {
		rows.from_seconds = now;
		rows.to_seconds = now += SECONDS;
		assert_int_equal(
			record_add(record, &rows,
				   &(struct record_surroundings){&machine, &growers, available}),
			0);
	}
}

static void find(double seconds, const char *who)
{
	verdicts_free(&verdicts);
	assert_int_equal(verdicts_find(record, seconds, who, &verdicts), 0);
}

static const struct verdict *verdict_of(const char *name, int cause)
{
	size_t i;

	for (i = 0; i < verdicts.count; i++)
		if (strcmp(verdicts.list[i].name, name) == 0 &&
		    (int)verdicts.list[i].cause == cause)
			return &verdicts.list[i];
	fail_msg("no verdict of %s: %s", name, cause_kinds[cause].name);
	return NULL;
}

static void check_none(const char *containers)
{
	record_free(record);
	record = record_new();
	assert_non_null(record);
	add(60, containers);
	find(600, NULL);
	if (verdicts.count)
		fail_msg("said: %s: %s", verdicts.list[0].name,
			 cause_kinds[verdicts.list[0].cause].name);
}

/* ---------------------------------------------------------------- healthy */

static void test_nothing_is_said_of_what_is_healthy(void **state)
{
	(void)state;
	find(600, NULL); /* nothing is recorded */
	assert_int_equal(verdicts.count, 0);
	check_none("");
	/* It sleeps, and wakes up twice a second. */
	check_none(POD("idle") "'cpu_usage':0.01,'cpu_wait':" HIST(20, 0.001, "[-56,20]") "}");
	/* It has more threads than CPUs, which wait for each other. */
	check_none(POD("busy") CPU(20, "{'namespace':'shop','pod':'busy','container':'web',"
				       "'seconds':20}") ",'cpu_usage':20}");
	/* Tasks of several containers take turns: no wait is of 1 ms. */
	check_none(POD("turns") "'cpu_usage':4,'cpu_wait':" HIST(90000, 4, "[-56,90000]") "}");
	/* It runs on all CPUs, and gives way to others here and there. */
	check_none(POD("batch") CPU(5, BY("a", 5)) ",'cpu_usage':35}");
	/* A proxy, or a client of a healthy database. */
	check_none(POD("proxy") ASKS(9, "[-22,50]") "}");
	/* It waits for news, and so does its server. */
	check_none(POD("polls") "'tcp_response':{'client':" HIST(
		5, 150, "[20,5]") ",'server':" HIST(5, 150, "[20,5]") "}}");
	/* etcd on an SSD. */
	check_none(POD("etcd") "'fsync':" HIST(100, 0.2, "[-36,100]") "}");
	/* Files fill the memory up to the limit. */
	check_none(POD("cache") "'memory_stall':" HIST(
		100, 0.3, "[-33,100]") ",'memory_events':{'max':100}}");
	/* A segment is lost here and there; a pod is asked before it is ready. */
	check_none(POD("wifi") "'tcp_retransmits':5,'tcp_resets':{'sent':3}}");
	/* The kernel's threads wait, and slow nobody by that. */
	check_none("{'unit':'kernel'," CPU(9, BY("a", 9)) "}");
	check_none("{'unit':'overflow'," CPU(9, BY("a", 9)) "}");
}

/* A minute of a trouble is a trouble; one interval of it in ten minutes is none. */
static void test_the_worst_minute_counts(void **state)
{
	(void)state;
	add(59, "");
	add(1, POD("a") FSYNCS(2.9) "}");
	find(600, NULL);
	assert_int_equal(verdicts.count, 0); /* less than 5 % of a minute */
	add(1, POD("a") FSYNCS(2.9) "}");
	find(600, NULL);
	assert_int_equal(verdicts.count, 1);
	assert_true(fabs(verdicts.list[0].worst_share - 5.8 / 60) < 1e-6);
	find(10, NULL); /* who asks for less is told of that */
	assert_int_equal(verdicts.count, 1);
	assert_true(fabs(verdicts.list[0].share - 0.29) < 1e-6);
}

/* On a busy node a reading may be late. */
static void test_an_interval_that_is_longer_than_asked_for(void **state)
{
	(void)state;
	add(2, POD("a") FSYNCS(8) "}");
	now += 5;
	add(1, POD("a") FSYNCS(8) "}");
	record->intervals[2].from_seconds -= 5;
	find(10, NULL);
	assert_int_equal(verdicts.count, 1);
	assert_true(near(verdicts.window_seconds, 15));
	assert_true(fabs(verdicts.list[0].worst_share - 8 / 15.0) < 1e-6);
}

/* ---------------------------------------------------------------- what is said */

static void test_cpu(void **state)
{
	const struct verdict *verdict;

	(void)state;
	add(30, POD("quiet") "'cpu_usage':1}");
	add(30,
	    POD("web") CPU(6, BY("train-0", 4) "," BY(
				      "train-1", 1.5) ","
						      "{'namespace':'shop','pod':'web','container':"
						      "'web','seconds':0.5}") ",'cpu_usage':3}");
	find(600, NULL);
	assert_int_equal(verdicts.count, 1);
	verdict = verdict_of(NAME("web"), WAIT_CPU);
	assert_true(fabs(verdict->seconds - 30 * 5.5) < 1e-3); /* not for itself */
	assert_true(fabs(verdict->share - 0.275) < 1e-5);
	assert_true(near(verdict->since_seconds, START + 300));
	assert_true(near(verdict->until_seconds, now));
	assert_true(verdict->goes_on);
	assert_int_equal(verdict->by_count, 2);
	assert_string_equal(verdict->by[0].name, "ml/train-0/train");
	assert_string_equal(verdict->by[0].labels.pod, "train-0");
	assert_true(fabs(verdict->by[0].share - 4 / 5.5) < 1e-5);
	assert_string_equal(verdict->by[1].name, "ml/train-1/train");
	assert_int_equal(verdict->evidence.hist, SIGNAL_CPU_WAIT);
	assert_int_equal(verdict->evidence.count, 30000);
}

static void test_since_when(void **state)
{
	const struct verdict *verdict;
	const char *trouble = POD("db") FSYNCS(4) "}";

	(void)state;
	add(6, trouble);
	add(12, "");
	add(6, trouble); /* from 180 s on */
	add(3, "");	 /* half a minute without belongs to it */
	add(6, trouble);
	find(600, NULL);
	verdict = verdict_of(NAME("db"), WAIT_FSYNC);
	assert_true(near(verdict->since_seconds, START + 180));
	assert_true(verdict->goes_on);
	assert_true(fabs(verdict->seconds - 18 * 4) < 1e-3);
	add(20, "");
	find(600, NULL);
	verdict = verdict_of(NAME("db"), WAIT_FSYNC);
	assert_false(verdict->goes_on);
	assert_true(near(verdict->until_seconds, START + 330));
	find(60, NULL);
	assert_int_equal(verdicts.count, 0);
}

static void test_whose_memory_it_is(void **state)
{
#define STALLS "'memory_stall':" HIST(40, 2, "[-17,40]")
	(void)state;
	add(6, POD("limited") STALLS
	    ",'memory_limit_bytes':1000,'memory_working_set_bytes':950}," POD("roomy") STALLS
	    ",'memory_limit_bytes':1000,'memory_working_set_bytes':500}");
	find(60, NULL);
	verdict_of(NAME("limited"), CAUSE_MEMORY_LIMIT);
	verdict_of(NAME("roomy"), CAUSE_MEMORY_LIMIT); /* the node has memory */
	assert_int_equal(verdicts.count, 2);
	available = 0.05;
	add(6, POD("limited") STALLS
	    ",'memory_limit_bytes':1000,'memory_working_set_bytes':950}," POD("roomy") STALLS
	    ",'memory_limit_bytes':1000,'memory_working_set_bytes':500}," POD("hits") STALLS
	    ",'memory_events':{'max':3}}");
	find(60, NULL);
	assert_int_equal((int)verdict_of(NAME("limited"), CAUSE_MEMORY_LIMIT)->memory_limit, 1000);
	verdict_of(NAME("roomy"), WAIT_MEMORY);
	verdict_of(NAME("hits"), CAUSE_MEMORY_LIMIT);
	assert_int_equal(verdicts.count, 3);
}

/* Who took more memory while others stalled for want of it: known by two readings. */
static void test_who_took_the_memory(void **state)
{
	static const char before[] =
		"{'time_seconds':100,'last_id':4,'containers':["
		"{'unit':'files-later','id':1,'since_seconds':1,'cpu_usage':1},"
		"{'unit':'shrinks','id':2,'since_seconds':1,'memory_working_set_bytes':900000000},"
		"{'unit':'grows','id':3,'since_seconds':1,'memory_working_set_bytes':100000000},"
		"{'unit':'breathes','id':4,'since_seconds':1,'memory_working_set_bytes':1000000}]}";
	static const char after[] =
		"{'time_seconds':110,'last_id':6,'containers':["
		"{'unit':'files-later','id':1,'since_seconds':1,'memory_working_set_bytes':"
		"900000000},"
		"{'unit':'shrinks','id':2,'since_seconds':1,'memory_working_set_bytes':100000000},"
		"{'unit':'grows','id':3,'since_seconds':1,'memory_working_set_bytes':120000000},"
		"{'unit':'breathes','id':4,'since_seconds':1,'memory_working_set_bytes':9000000},"
		"{'unit':'new','id':5,'since_seconds':105,'memory_working_set_bytes':104857600}]}";
	struct reading first, second;
	const struct verdict *verdict;
	struct buf text = {0};

	(void)state;
	assert_int_equal(read_text(&first, before), 0);
	assert_int_equal(read_text(&second, after), 0);
	growers_find(&first, &second, &growers);
	assert_int_equal(growers.count, 2);
	assert_string_equal(growers.list[0].name, "new");
	assert_string_equal(growers.list[1].name, "grows");
	assert_true(near(growers.list[1].bytes, 20000000));
	available = 0.02;
	add(6, POD("web") STALLS "}");
	reading_free(&first);
	reading_free(&second);
	find(60, NULL);
	verdict = verdict_of(NAME("web"), WAIT_MEMORY);
	assert_int_equal(verdict->by_count, 2);
	assert_string_equal(verdict->by[0].name, "new");
	assert_true(verdict->by_is_hint);
	verdict_sentence(&text, verdict);
	assert_non_null(strstr(text.data, " The node was short of it; new took 600 MiB more at the "
					  "time."));
	buf_free(&text);
	find(60, "new");
	assert_int_equal(verdicts.caused_count, 1);
}

/* What fsyncs explain of the time that it was blocked is said as fsyncs. */
static void test_blocked(void **state)
{
	(void)state;
	check_none(POD("sleeps") "'task_blocked':" HIST(40, 0.9, "[-8,40]") "}");
	check_none(POD("nearly") FSYNCS(0.4) ",'task_blocked':" HIST(40, 1.3, "[-8,40]") "}");
	add(6, POD("copies") FSYNCS(2) ",'task_blocked':" HIST(40, 6, "[-8,40]") "}");
	find(60, NULL);
	assert_true(fabs(verdict_of(NAME("copies"), WAIT_FSYNC)->share - 0.2) < 1e-3);
	assert_true(fabs(verdict_of(NAME("copies"), WAIT_BLOCKED)->share - 0.4) < 1e-3);
	assert_non_null(verdict_hint(verdict_of(NAME("copies"), WAIT_BLOCKED)));
}

static void test_counted(void **state)
{
	(void)state;
	add(59, "");
	add(1,
	    POD("killed") "'memory_oom_kills':2}," POD("lost") "'tcp_retransmits':60}," POD(
		    "vain") "'tcp_connect_failures':{'refused':6}}," POD("once") "'tcp_retransmits'"
										 ":59,'tcp_connect_"
										 "failures':{'"
										 "refused':5}}");
	find(600, NULL);
	assert_int_equal(verdicts.count, 3);
	assert_string_equal(verdicts.list[0].name, NAME("killed")); /* 2 x 60 s */
	assert_true(near(verdict_of(NAME("killed"), CAUSE_OOM_KILLS)->count, 2));
	assert_true(near(verdict_of(NAME("lost"), CAUSE_LOST_PACKETS)->count, 60));
	assert_true(near(verdict_of(NAME("vain"), CAUSE_CONNECT_FAILURES)->count, 6));
}

static void test_a_slow_server_is_a_hint(void **state)
{
	const struct verdict *client;

	(void)state;
	add(6, POD("client") ASKS(9, "[-9,50]") "}," POD("server")
		       SERVES(9, "[-9,50]") "}," POD("other") SERVES(2, "[-9,11],[-40,39]") "}");
	find(60, NULL);
	verdict_of(NAME("server"), CAUSE_SLOW_ANSWERS);
	client = verdict_of(NAME("client"), WAIT_NETWORK);
	assert_int_equal(client->by_count, 1);
	assert_string_equal(client->by[0].name, NAME("server"));
	assert_true(client->by_is_hint);
	assert_non_null(verdict_hint(client));
}

/* So may be one that turns connections away, if it is connections that open slowly. */
static void test_a_full_queue_is_a_hint(void **state)
{
	const struct verdict *client;
	struct buf text = {0};

	(void)state;
	add(6, POD("knocks") "'tcp_connect':" HIST(5, 5, "[0,5]") "}," POD("asks")
		       ASKS(9, "[-9,50]") "}," POD("door") "'tcp_accept_queue_overflows':4}");
	find(60, NULL);
	assert_true(near(verdict_of(NAME("door"), CAUSE_FULL_QUEUE)->count, 24));
	assert_int_equal(verdict_of(NAME("asks"), WAIT_NETWORK)->by_count, 0);
	client = verdict_of(NAME("knocks"), WAIT_NETWORK);
	assert_int_equal(client->by_count, 1);
	assert_string_equal(client->by[0].name, NAME("door"));
	assert_true(client->by_is_hint);
	verdict_sentence(&text, client);
	assert_non_null(strstr(text.data, " On this node shop/door/web turned connections away."));
	buf_free(&text);
	check_none(POD("starts") "'tcp_accept_queue_overflows':0}");
}

/* The worst comes first; a name chooses its own, and those that it has caused. */
static void test_names_and_order(void **state)
{
	(void)state;
	add(6, POD("web") CPU(6, BY("train-0", 6)) "}," POD("db")
		       FSYNCS(8) "},"
				 "{'unit':'k3s.service'," FSYNCS(7) "}");
	find(60, NULL);
	assert_int_equal(verdicts.count, 3);
	assert_string_equal(verdicts.list[0].name, NAME("db"));
	assert_string_equal(verdicts.list[1].name, "k3s.service");
	assert_string_equal(verdicts.list[2].name, NAME("web"));
	find(60, "web");
	assert_int_equal(verdicts.count, 1);
	find(60, "shop/web");
	assert_int_equal(verdicts.count, 1);
	find(60, "shop/web/web");
	assert_int_equal(verdicts.count, 1);
	assert_int_equal(verdicts.caused_count, 0);
	find(60, "k3s.service");
	assert_int_equal(verdicts.count, 1);
	find(60, "ml/train-0");
	assert_int_equal(verdicts.count, 1);
	assert_int_equal(verdicts.caused_count, 1);
	assert_string_equal(verdicts.list[0].name, NAME("web"));
	find(60, "we");
	assert_int_equal(verdicts.count, 0);
}

static void test_states_of_the_machine(void **state)
{
	const struct verdict *verdict;

	(void)state;
	machine.states[0] = (struct machine_state){.cause = CAUSE_UNDER_VOLTAGE};
	machine.states[1] = (struct machine_state){.cause = CAUSE_DISK_FULL, .where = "/var"};
	machine.count = 1;
	add(3, "");
	machine.count = 2;
	add(3, "");
	find(600, NULL);
	assert_int_equal(verdicts.count, 2);
	verdict = verdict_of("", CAUSE_UNDER_VOLTAGE);
	assert_true(near(verdict->seconds, 60));
	verdict = verdict_of("", CAUSE_DISK_FULL);
	assert_string_equal(verdict->where, "/var");
	assert_true(near(verdict->since_seconds, START + 30));
	find(600, "shop/web"); /* not when somebody is asked for */
	assert_int_equal(verdicts.count, 0);
	machine.count = 0;
	add(RECORD_INTERVALS, "");
	find(3600, NULL);
	assert_int_equal(verdicts.count, 0);
}

/* ---------------------------------------------------------------- bounds */

#define CROWD 200

/* Each pod of a crowd lost something; the later ones more. */
static char *crowd(int generation)
{
	struct buf text = {0};
	int i;

	for (i = 0; i < CROWD; i++)
		buf_printf(&text,
			   "%s{'namespace':'n','pod':'p-%d-%d','container':'c',"
			   "'fsync':{'count':10,'sum_seconds':%d.5,'buckets':[[0,10]]}}",
			   i ? "," : "", generation, i, i / 40 + 1);
	assert_false(buf_failed(&text));
	return buf_take(&text);
}

static void test_the_record_is_bounded(void **state)
{
	char *text;
	int i;

	(void)state;
	add(1, POD("first") FSYNCS(9) "}");
	for (i = 0; i < 70; i++) {
		text = crowd(i);
		add(1, text);
		free(text);
		assert_true(record->subject_count <= RECORD_SUBJECTS);
		/* Those that lost most have the places. */
		assert_true(record_interval(record, (uint64_t)i + 1)->count <=
			    RECORD_INTERVAL_NOTES);
	}
	assert_true(record->left_out >= 70 * (CROWD - RECORD_INTERVAL_NOTES));
	/* All names differ: there is room for those of half as many intervals. */
	assert_true(record_kept(record) >= RECORD_SUBJECTS / RECORD_INTERVAL_NOTES - 1);
	assert_int_equal(record_interval(record, 70)->count, RECORD_INTERVAL_NOTES);
	find(3600, NULL);
	assert_true(verdicts.window_seconds <= 71 * SECONDS);
	for (i = 0; i < (int)verdicts.count; i++)
		assert_string_not_equal(verdicts.list[i].name, NAME("first"));
	/* When they are gone, so are their names. */
	add(RECORD_INTERVALS, "");
	assert_int_equal(record->subject_count, 0);
	assert_int_equal(record_kept(record), RECORD_INTERVALS);
	add(1, POD("first") FSYNCS(9) "}");
	find(3600, NULL);
	assert_int_equal(verdicts.count, 1);
}

/* The same ones all the time: the last ten minutes are there. */
static void test_ten_minutes_are_kept(void **state)
{
	char *text = crowd(0);

	(void)state;
	add(100, text);
	free(text);
	assert_int_equal(record_kept(record), RECORD_NOTES / RECORD_INTERVAL_NOTES);
	find(600, NULL);
	assert_true(near(verdicts.window_seconds, 600));
}

static void test_the_worst_have_the_places(void **state)
{
	char *text = crowd(0);
	size_t i;

	(void)state;
	add(6, text);
	free(text);
	find(60, NULL);
	assert_int_equal(verdicts.count, RECORD_INTERVAL_NOTES);
	for (i = 0; i < verdicts.count; i++)
		assert_true(verdicts.list[i].seconds >= 6 * 4.5 - 1e-3);
}

/* ---------------------------------------------------------------- in words */

static void check_said(const char *name, int cause, const char *sentence, const char *advice)
{
	const struct verdict *verdict = verdict_of(name, cause);
	struct buf text = {0};

	verdict_sentence(&text, verdict);
	assert_string_equal(text.data, sentence);
	buf_free(&text);
	verdict_advice(&text, verdict);
	assert_string_equal(text.data, advice);
	buf_free(&text);
}

static void test_words(void **state)
{
	(void)state;
	machine.states[0] = (struct machine_state){.cause = CAUSE_DISK_FULL, .where = "/var"};
	machine.count = 1;
	add(60, POD("web") CPU(4, BY("train-0", 4)) "}," POD("db")
			FSYNCS(8) "},"
				  "{'unit':'k3s.service'," FSYNCS(7) "}," POD("slow")
					  SERVES(9, "[-9,50]") "}," POD("limited") STALLS
	    ",'memory_limit_bytes':67108864,"
	    "'memory_working_set_bytes':67108864}," POD("killed") "'memory_oom_kills':1}," POD(
		    "ssh") CPU(4, "{'unit':'ssh.service','seconds':4}") "}," POD("cron")
		    CPU(4, "{'unit':'root','seconds':4}") "}");
	find(600, NULL);
	check_said(NAME("web"), WAIT_CPU,
		   "shop/web/web waited 40 % of the last 10 min for CPU, 100 % of that while "
		   "ml/train-0/train ran.",
		   "give ml/train-0/train a CPU limit or move it to another node, or raise the CPU "
		   "request of shop/web/web, which is its weight");
	check_said(NAME("ssh"), WAIT_CPU,
		   "shop/ssh/web waited 40 % of the last 10 min for CPU, 100 % of that while "
		   "ssh.service ran.",
		   "lower the weight of ssh.service (systemctl set-property ssh.service "
		   "CPUWeight=20), or raise the CPU request of shop/ssh/web, which is its weight");
	check_said(NAME("cron"), WAIT_CPU,
		   "shop/cron/web waited 40 % of the last 10 min for CPU, 100 % of that while root "
		   "ran.",
		   "move something to another node, or raise the CPU request of shop/cron/web, "
		   "which is its weight");
	check_said(
		NAME("db"), WAIT_FSYNC,
		"shop/db/web waited 80 % of the last 10 min for fsync (4 calls/s, 99 of 100 took "
		"up to 250ms).",
		"move the data of shop/db/web off the SD card to an SSD, and away from what else "
		"writes to that disk");
	check_said(
		"k3s.service", WAIT_FSYNC,
		"k3s.service waited 70 % of the last 10 min for fsync (4 calls/s, 99 of 100 took "
		"up to 250ms).",
		"move etcd off the SD card to an SSD (k3s: --data-dir), or use an external "
		"datastore");
	check_said(
		NAME("slow"), CAUSE_SLOW_ANSWERS,
		"shop/slow/web answered slowly in the last 10 min: 3.0k answers took from 100ms to "
		"1.0s; of all its answers 99 of 100 took up to 210ms.",
		"look at what shop/slow/web does while it answers: what it waits for stands beside "
		"this, if it waits for anything that is measured");
	check_said(
		NAME("limited"), CAUSE_MEMORY_LIMIT,
		"shop/limited/web waited 20 % of the last 10 min for memory (4 stalls/s, 99 of 100 "
		"took up to 53ms). It is at a memory limit: its own, of 64 MiB.",
		"raise the memory limit of shop/limited/web (resources.limits.memory), or find "
		"what fills it");
	check_said(
		NAME("killed"), CAUSE_OOM_KILLS,
		"shop/killed/web: 60 killed for lack of memory in the last 10 min.",
		"raise the memory limit of shop/killed/web (resources.limits.memory), or find what "
		"fills it");
	check_said("", CAUSE_DISK_FULL,
		   "This node: /var is nearly full, for 10 min of the last 10 min.",
		   "make room on /var: unused images (crictl rmi --prune), logs, old volumes; the "
		   "kubelet evicts pods below 10 %");
}

/* Every row of the table can be told. */
static void test_every_cause_has_its_words(void **state)
{
	struct verdict verdict = {
		.name = "a", .where = "/", .labels = reading_no_labels, .window_seconds = 60};
	struct buf text = {0};
	int i, n;

	(void)state;
	for (i = 0; i < (int)CAUSES; i++) {
		assert_non_null(cause_kinds[i].name);
		for (n = 0; n < i; n++)
			assert_string_not_equal(cause_kinds[n].name, cause_kinds[i].name);
		if (i < (int)WAIT_CAUSES) {
			assert_non_null(cause_kinds[i].word);
			assert_non_null(cause_kinds[i].state);
			assert_non_null(cause_kinds[i].less);
			assert_true(cause_kinds[i].letter >= 'A' && cause_kinds[i].letter <= 'Z');
			assert_true(cause_kinds[i].part_count || cause_kinds[i].has_counter);
		}
		assert_int_equal(cause_kinds[i].least > 0, i < (int)CAUSES_TIMED);
		assert_int_equal(cause_kinds[i].weight > 0,
				 i >= (int)CAUSES_TIMED && i < (int)CAUSES_OF_OWNERS);
		verdict.cause = (enum cause)i;
		verdict.evidence = (struct evidence){
			.is_hist = cause_kinds[i].part_count > 0,
			.hist = cause_kinds[i].part_count ? cause_kinds[i].parts[0].hist : 0};
		verdict_sentence(&text, &verdict);
		assert_null(strstr(text.data, "(null)"));
		buf_free(&text);
		verdict_advice(&text, &verdict);
		assert_true(text.len > 20);
		buf_free(&text);
	}
	for (i = 0; i < (int)SIGNAL_HISTS; i++)
		assert_non_null(signal_field_name(true, i));
	for (i = 0; i < (int)SIGNAL_VALUES; i++)
		if (i != SIGNAL_COUNTERS)
			assert_non_null(signal_field_name(false, i));
}

static json_t *answer_of(const char *who)
{
	char *text;
	json_t *answer;

	find(600, who);
	text = why_answer(record, &verdicts, who);
	assert_non_null(text);
	answer = json_loads(text, 0, NULL);
	assert_non_null(answer);
	free(text);
	return answer;
}

static void test_the_answer(void **state)
{
	json_t *answer, *finding;
	const char *cause, *by, *pod, *field, *missing;
	double share, ago;
	int goes_on;

	(void)state;
	add(54, "");
	add(6, POD("web") CPU(4, BY("train-0", 4)) "}");
	answer = answer_of("shop/web");
	finding = json_array_get(json_object_get(answer, "findings"), 0);
	assert_int_equal(json_unpack(finding, "{s:s, s:s, s:f, s:f, s:b, s:[{s:s}], s:{s:s}}",
				     "cause", &cause, "pod", &pod, "share", &share,
				     "began_seconds_ago", &ago, "goes_on", &goes_on, "by", "pod",
				     &by, "evidence", "field", &field),
			 0);
	assert_string_equal(cause, "cpu");
	assert_string_equal(pod, "web");
	assert_string_equal(by, "train-0");
	assert_string_equal(field, "cpu_wait");
	assert_true(fabs(share - 0.04) < 1e-6);
	assert_true(near(ago, 60));
	assert_true(goes_on);
	missing = json_string_value(json_array_get(json_object_get(answer, "not_measured"), 0));
	assert_string_equal(missing, "cpu_limit");
	json_decref(answer);
	answer = answer_of("ml/train-0");
	assert_int_equal(json_array_size(json_object_get(answer, "findings")), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "causes")), 1);
	json_decref(answer);
}

static void test_the_text(void **state)
{
	const uint64_t now_ns = UINT64_C(1764331200) * NS_PER_S; /* 2025-11-28 12:00 UTC */
	struct buf text = {0};
	json_t *answer;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	add(54, "");
	add(6, POD("web") CPU(4, BY("train-0", 4)) "}");
	answer = answer_of(NULL);
	assert_int_equal(why_print(answer, now_ns, &text), 0);
	assert_string_equal(
		text.data,
		"1. shop/web/web waited 4.0 % of the last 10 min for CPU, 100 % of that while\n"
		"   ml/train-0/train ran.\n"
		"   since 11:59:00 (60 s), and it goes on\n"
		"   what helps: give ml/train-0/train a CPU limit or move it to another node, or\n"
		"   raise the CPU request of shop/web/web, which is its weight\n"
		"not measured here: cpu_limit, disk, fsync, network, memory, blocked\n");
	buf_free(&text);
	json_decref(answer);
	add(60, "{'unit':'e\\u001b[2Jvil\\u009b\\u0007'," FSYNCS(8) "}");
	answer = answer_of(NULL);
	assert_int_equal(why_print(answer, now_ns, &text), 0);
	assert_int_equal(strncmp(text.data, "1. e?[2Jvil?? waited 80 %", 25), 0);
	buf_free(&text);
	json_decref(answer);
	answer = answer_of("shop/nobody");
	assert_int_equal(why_print(answer, now_ns, &text), 0);
	assert_non_null(strstr(text.data, "Nothing was wrong with shop/nobody in the last 10 min"));
	buf_free(&text);
	json_decref(answer);
	answer = json_pack("{s:i}", "findings", 1); /* of another version */
	assert_int_equal(why_print(answer, now_ns, &text), -EINVAL);
	json_decref(answer);
	buf_free(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_said_of_what_is_healthy),
		TEST(test_the_worst_minute_counts),
		TEST(test_an_interval_that_is_longer_than_asked_for),
		TEST(test_cpu),
		TEST(test_since_when),
		TEST(test_whose_memory_it_is),
		TEST(test_who_took_the_memory),
		TEST(test_blocked),
		TEST(test_counted),
		TEST(test_a_slow_server_is_a_hint),
		TEST(test_a_full_queue_is_a_hint),
		TEST(test_names_and_order),
		TEST(test_states_of_the_machine),
		TEST(test_the_record_is_bounded),
		TEST(test_ten_minutes_are_kept),
		TEST(test_the_worst_have_the_places),
		TEST(test_words),
		TEST(test_every_cause_has_its_words),
		TEST(test_the_answer),
		TEST(test_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
