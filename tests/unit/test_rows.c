/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "readings.h"

static int teardown(void **state)
{
	(void)state;
	free_rows();
	return 0;
}

#define LABELS(pod)	     "'namespace':'shop','pod':'" pod "','container':'main'"
#define AT(time, containers) "{'time_seconds':" #time ",'containers':[" containers "]}"

static void test_differences(void **state)
{
	const struct row *row;

	(void)state;
	make_rows_of(
		AT(100,
		   "{" LABELS("web-0") ",'cpu_wait':" HIST(
			   10, 1,
			   "[0,10]") ",'cpu_context_switches':{'voluntary':100,'involuntary':1},"
				     "'tcp_open_connections':9}"),
		AT(102,
		   "{" LABELS("web-0") ",'cpu_wait':" HIST(
			   30, 4,
			   "[0,30]") ",'cpu_context_switches':{'voluntary':300,'involuntary':1},"
				     "'tcp_open_connections':5}"),
		ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 1);
	assert_true(near(rows.seconds, 2));
	row = row_of("shop/web-0/main");
	assert_string_equal(row->labels.name_space, "shop");
	assert_true(near(row->hist[SIGNAL_CPU_WAIT].count, 20));
	assert_true(near(row->hist[SIGNAL_CPU_WAIT].sum_seconds, 3));
	assert_true(near(row->value[SIGNAL_SWITCHES_VOLUNTARY], 200));
	assert_true(near(row->value[SIGNAL_SWITCHES_INVOLUNTARY], 0));
	assert_true(near(row->value[SIGNAL_OPEN_CONNECTIONS], 5)); /* a gauge */
	assert_false(row->hist[SIGNAL_FSYNC].known);
	assert_true(rows.probe_missing[SIGNAL_PROBE_FSYNC]);
	assert_false(rows.probe_missing[SIGNAL_PROBE_SCHED]);
}

static void test_new_vanished_idle_and_restarted(void **state)
{
	(void)state;
	make_rows_of(
		AT(1,
		   "{" LABELS("gone") ",'cpu_wait':" HIST(
			   10, 1,
			   "[0,10]") "},"
				     "{" LABELS("idle") ",'cpu_wait':" HIST(
					     5, 1,
					     "[0,5]") "},"
						      "{" LABELS("less") ",'cpu_wait':" HIST(
							      5, 1,
							      "[0,5]") "},"
								       "{'unit':'stays','cpu_wait'"
								       ":" HIST(1, 0.1,
										"[0,1]") "}"),
		AT(2,
		   "{" LABELS("new") ",'since_seconds':1.5,'cpu_wait':" HIST(
			   4, 2,
			   "[0,4]") "},"
				    "{" LABELS("idle") ",'cpu_wait':" HIST(
					    5, 1,
					    "[0,5]") "},"
						     "{" LABELS("less") ",'cpu_wait':" HIST(
							     2, 1,
							     "[0,2]") "},"
								      "{'unit':'stays','cpu_wait'"
								      ":" HIST(2, 0.3,
									       "[0,2]") "}"),
		ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 2);
	assert_true(near(row_of("shop/new/main")->hist[SIGNAL_CPU_WAIT].count, 4));
	assert_true(near(row_of("stays")->hist[SIGNAL_CPU_WAIT].sum_seconds, 0.2));
}

#define CPU(id, since, labels, seconds)                                                            \
	"{'id':" #id ",'since_seconds':" #since "," labels ",'cpu_usage':" #seconds "}"

/*
 * Nothing is the interval's that may be older. A container that was there before serve, and was
 * listed by it for the first time now, has its life's CPU time.
 */
static void test_first_readings(void **state)
{
	(void)state;
	make_rows_of(AT(100, CPU(1, 50, LABELS("works"), 10) "," CPU(2, 60, LABELS("again"), 5)),
		     AT(101, CPU(1, 50, LABELS("works"), 10.5) "," CPU(3, 20, LABELS("wakes"),
								       4000.25) ","
			/* The kernel may not tell since when: then it is 0. */
			CPU(4, 0, LABELS("old"), 77) "," CPU(5, 100.25, LABELS("began"), 0.75) ","
			/* The same pod of a StatefulSet made anew; it has run more than the first
			   one. */
			CPU(6, 100.5, LABELS("again"),
			    5.5) ","
				 /* As an older serve lists it: without saying since when. */
				 "{" LABELS("silent") ",'cpu_usage':9}"),
		     ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 3);
	assert_true(near(row_of("shop/works/main")->value[SIGNAL_CPU_USAGE], 0.5));
	assert_false(row_of("shop/works/main")->began);
	assert_true(near(row_of("shop/began/main")->value[SIGNAL_CPU_USAGE], 0.75));
	assert_true(row_of("shop/began/main")->began);
	assert_true(near(row_of("shop/again/main")->value[SIGNAL_CPU_USAGE], 5.5));
}

/* It was there, and no probe had counted anything for it: a slice, which has no files that are
 * read. */
static void test_listed_late(void **state)
{
	const struct row *row;

	(void)state;
	make_rows_of("{'time_seconds':100,'last_id':7,'containers':[]}",
		     "{'time_seconds':101,'last_id':8,'containers':["
		     "{'id':7,'since_seconds':50,'unit':'a.slice','cpu_usage':900,"
		     "'tcp_retransmits':3},"
		     "{'id':8,'since_seconds':50,'unit':'found-late','tcp_retransmits':3}]}",
		     ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 1);
	row = row_of("a.slice");
	assert_false(row->began);
	assert_true(near(row->value[SIGNAL_RETRANSMITS], 3));
	assert_false(row->value_known[SIGNAL_CPU_USAGE]); /* a life's, from files read just now */
}

/* Its name was not known at first: it is the same one. */
static void test_renamed(void **state)
{
	(void)state;
	make_rows_of(AT(100, CPU(1, 50, "'pod':'11111111-2222','container':'0123456789ab'",
				 10) ","
				     "{'id':2,'unit':'v','cpu_wait':" HIST(
					     1, 1, "[0,1]") ",'cpu_wait_caused':[{'id':1,"
							    "'pod':'11111111-2222','container':'"
							    "0123456789ab','seconds':1}]}"),
		     AT(101, CPU(1, 50, LABELS("web-0"),
				 10.5) ","
				       "{'id':2,'unit':'v','cpu_wait':" HIST(
					       2, 1.25, "[0,2]") ",'cpu_wait_caused':[{'id':"
								 "1," LABELS("web-0") ",'seconds':"
										      "1.25}]}"),
		     ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 2);
	assert_true(near(row_of("shop/web-0/main")->value[SIGNAL_CPU_USAGE], 0.5));
	assert_int_equal(row_of("v")->cause_count, 1);
	assert_string_equal(row_of("v")->causes[0].name, "shop/web-0/main");
	assert_true(near(row_of("v")->causes[0].seconds, 0.25));
}

static size_t rows_of_joined(const char *joined)
{
	char now[256];

	snprintf(now, sizeof(now),
		 AT(101,
		    "{'id':1,'since_seconds':50,'unit':'u','cpu_usage':900,'joined_seconds':%s}"),
		 joined);
	make_rows_of(AT(100, CPU(1, 50, "'unit':'u'", 1)), now, ROW_LEVEL_CONTAINER);
	return rows.count;
}

/* It took over what another had counted: that is no interval's, unless all of it is. */
static void test_joined(void **state)
{
	(void)state;
	assert_int_equal(rows_of_joined("[60,100.5]"), 0);
	assert_int_equal(rows_of_joined("[100,101]"), 0);
	assert_int_equal(rows_of_joined("[0,101]"), 0);
	assert_int_equal(rows_of_joined("[100.1,100.5]"), 1);
	assert_int_equal(rows_of_joined("[60,100]"), 1);
	assert_int_equal(rows_of_joined("[60]"), 1);
	assert_int_equal(rows_of_joined("[]"), 1);
	assert_int_equal(rows_of_joined("'x'"), 1);
}

/* A controller was turned on: its files tell a life's counts. A probe counts from 0. */
static void test_values_that_appear(void **state)
{
	const struct row *row;

	(void)state;
	make_rows_of(AT(100, CPU(1, 50, "'unit':'u'", 1)),
		     AT(101, "{'id':1,'since_seconds':50,'unit':'u','cpu_usage':1.5,"
			     "'cpu_throttled':300,'memory_events':{'oom_kill':7},"
			     "'pressure':{'memory':{'some':9}},'tcp_retransmits':3,"
			     "'fsync':" HIST(2, 1, "[0,2]") "}"),
		     ROW_LEVEL_CONTAINER);
	row = row_of("u");
	assert_true(row->value_known[SIGNAL_CPU_USAGE] && near(row->value[SIGNAL_CPU_USAGE], 0.5));
	assert_false(row->value_known[SIGNAL_CPU_THROTTLED]);
	assert_false(row->value_known[SIGNAL_OOM_EVENTS]);
	assert_false(row->value_known[SIGNAL_PRESSURE_MEMORY]);
	assert_true(near(row->value[SIGNAL_CPU_THROTTLED] + row->value[SIGNAL_OOM_EVENTS] +
				 row->value[SIGNAL_PRESSURE_MEMORY],
			 0));
	assert_true(near(row->value[SIGNAL_RETRANSMITS], 3));
	assert_true(near(row->hist[SIGNAL_FSYNC].count, 2));
}

/* Another serve answers: its ids are others, whatever it has counted. */
static void test_another_serve(void **state)
{
	(void)state;
	assert_int_equal(read_text(&reading_before,
				   "{'time_seconds':100,'started_seconds':10,'containers':[]}"),
			 0);
	assert_int_equal(read_text(&reading_now,
				   "{'time_seconds':101,'started_seconds':10,'containers':[]}"),
			 0);
	assert_true(reading_follows(&reading_now, &reading_before));
	assert_false(reading_follows(&reading_before, &reading_now));
	assert_false(reading_follows(&reading_now, &reading_now));
	reading_now.started_seconds = 100.5;
	assert_false(reading_follows(&reading_now, &reading_before));
	assert_int_equal(rows_make(&reading_before, &reading_now, ROW_LEVEL_CONTAINER, &rows),
			 -EINVAL);
	reading_now.started_seconds = NAN;
	assert_false(reading_follows(&reading_now, &reading_before));
}

/* Files are read one after the other: that makes no CPU. */
static void test_no_more_than_the_cpus(void **state)
{
	(void)state;
	make_rows_of("{'time_seconds':100,'node':{'cpus':2},'containers':[" CPU(1, 50, "'unit':'u'",
										1) "]}",
		     "{'time_seconds':101,'node':{'cpus':2},'containers':[" CPU(1, 50, "'unit':'u'",
										3.01) "]}",
		     ROW_LEVEL_CONTAINER);
	assert_true(near(row_of("u")->value[SIGNAL_CPU_USAGE], 2));
}

/* Same pod name in another namespace, or as a unit: another one. In any order. */
static void test_who_is_who(void **state)
{
	(void)state;
	make_rows_of(
		AT(1, "{'unit':'web','cpu_wait':" HIST(
			      7, 1, "[0,7]") "},"
					     "{" LABELS("web") ",'cpu_wait':" HIST(10, 1,
										   "[0,10]") "}"),
		AT(2, "{'namespace':'test','pod':'web','container':'main','since_seconds':1.5,'cpu_"
		      "wait':" HIST(11, 1,
				    "[0,11]") "},"
					      "{" LABELS("web") ",'cpu_wait':" HIST(
						      13, 1,
						      "[0,13]") "},"
								"{'unit':'web','cpu_wait':" HIST(
									12, 1, "[0,12]") "}"),
		ROW_LEVEL_CONTAINER);
	assert_true(near(row_of("test/web/main")->hist[SIGNAL_CPU_WAIT].count, 11));
	assert_true(near(row_of("shop/web/main")->hist[SIGNAL_CPU_WAIT].count, 3));
	assert_true(near(row_of("web")->hist[SIGNAL_CPU_WAIT].count, 5));
}

static void check_quantiles(const char *before, const char *now, double p50, double p99)
{
	char a[512], b[512];

	snprintf(a, sizeof(a),
		 AT(1, "{'unit':'u','cpu_wait':{'count':1,'sum_seconds':1,'buckets':[%s]}}"),
		 before);
	snprintf(b, sizeof(b),
		 AT(2, "{'unit':'u','cpu_wait':{'count':9,'sum_seconds':9,'buckets':[%s]}}"), now);
	make_rows_of(a, b, ROW_LEVEL_CONTAINER);
	assert_true(row_hist_quantile(&rows.rows[0].hist[SIGNAL_CPU_WAIT], 0.5) == p50);
	assert_true(row_hist_quantile(&rows.rows[0].hist[SIGNAL_CPU_WAIT], 0.99) == p99);
}

static void test_quantiles(void **state)
{
	const struct row_hist nothing = {.known = true};

	(void)state;
	check_quantiles("", "[0,1]", 1, 1);
	check_quantiles("", "[-80,1]", 1.0 / (1 << 20), 1.0 / (1 << 20));
	check_quantiles("", "[-4,50],[4,50]", 0.5, 2);
	check_quantiles("", "[-4,49],[4,51]", 2, 2);
	check_quantiles("", "[-4,99],[4,1]", 0.5, 0.5);
	check_quantiles("", "[-4,98],[4,2]", 0.5, 2);
	check_quantiles("[20,1000000]", "[-8,3],[20,1000000]", 0.25, 0.25);
	check_quantiles("", "[28,1]", 128, 128);
	check_quantiles("", "[29,1]", INFINITY, INFINITY);
	check_quantiles("", "[0,60],[29,40]", 1, INFINITY);
	/* A bucket that there is not is nowhere. */
	check_quantiles("", "[1000,1],[-81,1],[0,1]", 1, 1);
	assert_true(row_hist_quantile(&nothing, 0.99) == 0);
}

/* A wait of 60 s that ended in an interval of 2 s took at most 2 s of it. */
static void test_inside_the_interval(void **state)
{
	const struct row_hist *hist;

	(void)state;
	make_rows(2, "{'unit':'u','tcp_response':{'client':" HIST(3, 60.5, "[-4,2],[24,1]") "}}");
	hist = &rows.rows[0].hist[SIGNAL_RESPONSE_CLIENT];
	assert_true(near(hist->sum_seconds, 60.5));
	assert_true(near(hist->inside_seconds, 2 * 0.5 + 2));
	make_rows(2, "{'unit':'u','cpu_wait':" HIST(4, 1.5, "[-4,4]") "}");
	assert_true(near(rows.rows[0].hist[SIGNAL_CPU_WAIT].inside_seconds, 1.5));
}

static void test_causes(void **state)
{
	const struct row *row;

	(void)state;
	make_rows_begun(
		AT(1,
		   "{'unit':'victim','since_seconds':0,'cpu_wait':" HIST(
			   1, 1,
			   "[0,1]") ",'cpu_wait_caused':["
				    "{'unit':'was-bad','seconds':5},{'unit':'bad','seconds':1}]}"),
		AT(2,
		   "{'unit':'victim','since_seconds':0,'cpu_wait':" HIST(
			   9, 9,
			   "[0,9]") ",'cpu_wait_caused':["
				    "{'unit':'new','seconds':0.5},{'unit':'was-bad','seconds':5},"
				    "{'unit':'bad','seconds':4},{'unit':'less','seconds':1},"
				    "{'unit':'victim','seconds':0.25}]},"
				    "{'unit':'other','cpu_wait':" HIST(
					    1, 1, "[0,1]") ",'cpu_wait_caused':["
							   "{'unit':'bad','seconds':0.5}]},"
							   "{'unit':'bad','cpu_wait':" HIST(
								   1, 1, "[0,1]") "}"),
		ROW_LEVEL_CONTAINER);
	row = row_of("victim");
	assert_int_equal(row->cause_count, 4);
	assert_string_equal(row->causes[0].name, "bad");
	assert_true(near(row->causes[0].seconds, 3));
	assert_string_equal(row->causes[1].name, "less");
	assert_string_equal(row->causes[2].name, "new");
	assert_true(near(row->caused_seconds, 0)); /* its own waits are not others' */
	row = row_of("bad");
	assert_true(near(row->caused_seconds, 3.5));
	assert_string_equal(row->worst_victim.name, "victim");
	assert_true(near(row->worst_victim.seconds, 3));
}

/* clang-format off */
#define DEPLOYMENT "'workload_kind':'Deployment','workload':'web',"
#define TRAIN	   "'namespace':'ml','container':'x','workload_kind':'StatefulSet','workload':'train',"
#define TWO_PODS                                                                                   \
	"{'namespace':'shop','pod':'web-7d4b9c6f5-x2x8k','container':'a'," DEPLOYMENT              \
	"'cpu_wait':" HIST(1, 1, "[0,1]") ",'cpu_usage':0.5,"                                      \
	"'cpu_wait_caused':[{" TRAIN "'pod':'train-0','seconds':0.25}]},"                          \
	"{'namespace':'shop','pod':'web-7d4b9c6f5-x2x8k','container':'b'," DEPLOYMENT              \
	"'cpu_wait':" HIST(3, 3, "[8,3]") ",'fsync':" HIST(2, 2, "[0,2]") ","                      \
	"'cpu_wait_caused':[{" TRAIN "'pod':'train-1','seconds':0.5}]},"                           \
	"{'namespace':'shop','pod':'web-7d4b9c6f5-z9z2q','container':'a'," DEPLOYMENT              \
	"'cpu_wait':" HIST(5, 5, "[0,5]") "},"                                                     \
	"{'namespace':'shop','pod':'db-0','container':'pg','workload':'database',"                 \
	"'cpu_wait':" HIST(7, 7, "[0,7]") "},"                                                     \
	"{'unit':'ssh.service','cpu_wait':" HIST(9, 9, "[0,9]") "}"
/* clang-format on */

static void test_levels(void **state)
{
	const struct row *row;

	(void)state;
	make_rows_begun(AT(1, ""), AT(2, TWO_PODS), ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 5);
	make_rows_begun(AT(1, ""), AT(2, TWO_PODS), ROW_LEVEL_POD);
	assert_int_equal(rows.count, 4);
	row = row_of("shop/web-7d4b9c6f5-x2x8k");
	assert_int_equal(row->members, 2);
	assert_true(near(row->hist[SIGNAL_CPU_WAIT].count, 4));
	assert_true(near(row->hist[SIGNAL_CPU_WAIT].sum_seconds, 4));
	assert_true(row_hist_quantile(&row->hist[SIGNAL_CPU_WAIT], 0.5) == 4);
	assert_true(near(row->hist[SIGNAL_FSYNC].count, 2));
	assert_true(near(row->value[SIGNAL_CPU_USAGE], 0.5));
	assert_string_equal(row->causes[0].name, "ml/train-1");
	assert_string_equal(row->causes[1].name, "ml/train-0");
	make_rows_begun(AT(1, ""), AT(2, TWO_PODS), ROW_LEVEL_WORKLOAD);
	assert_int_equal(rows.count, 3);
	assert_true(near(row_of("shop/web")->hist[SIGNAL_CPU_WAIT].count, 9));
	assert_int_equal(row_of("shop/web")->cause_count, 1); /* both are ml/train now */
	assert_true(near(row_of("shop/web")->causes[0].seconds, 0.75));
	assert_int_equal(row_of("shop/database")->members, 1); /* Kubernetes said so */
	assert_int_equal(row_of("ssh.service")->members, 1);
	make_rows_begun(AT(1, ""), AT(2, TWO_PODS), ROW_LEVEL_NAMESPACE);
	assert_int_equal(rows.count, 2);
	assert_true(near(row_of("shop")->hist[SIGNAL_CPU_WAIT].count, 16));
	assert_true(near(row_of("(no namespace)")->hist[SIGNAL_CPU_WAIT].count, 9));
}

static void check_workload(const char *kind, const char *workload, const char *expected)
{
	const struct reading_labels labels = {"shop",  "web-7d4b9c6f5-x2x8k", "main", "", kind,
					      workload};
	char name[ROW_NAME_SIZE];

	row_name_write(name, &labels, ROW_LEVEL_WORKLOAD);
	assert_string_equal(name, expected);
	row_name_write(name, &labels, ROW_LEVEL_POD);
	assert_string_equal(name, "shop/web-7d4b9c6f5-x2x8k");
}

/* Whatever a pod's name looks like, its workload is the one that was told, or the pod itself. */
static void test_workloads(void **state)
{
	(void)state;
	check_workload("Deployment", "web", "shop/web");
	check_workload("StatefulSet", "other", "shop/other");
	check_workload("", "", "shop/web-7d4b9c6f5-x2x8k");
	check_workload("Node", "pi-1", "shop/web-7d4b9c6f5-x2x8k");
	/* As in a reading where nobody told it. */
	make_rows(1, "{" LABELS("web-0") ",'cpu_usage':1},{" LABELS("web-1") ",'cpu_usage':1}");
	rows_free(&rows);
	assert_int_equal(rows_make(&reading_before, &reading_now, ROW_LEVEL_WORKLOAD, &rows), 0);
	assert_int_equal(rows.count, 2);
	assert_int_equal(row_of("shop/web-0")->members, 1);
}

/* A pod whose name is not known, and a container outside of Kubernetes. */
static void test_no_namespace(void **state)
{
	static const struct reading_labels outside = {"", "", "docker-1", "", "", ""};
	static const struct reading_labels labels = {"", "0fd6e7a2", "8c3e", "", "", ""};
	static const struct reading_labels whole = {"shop", "web-0", "", "", "", ""};
	char name[ROW_NAME_SIZE];

	(void)state;
	row_name_write(name, &labels, ROW_LEVEL_CONTAINER);
	assert_string_equal(name, "0fd6e7a2/8c3e");
	row_name_write(name, &labels, ROW_LEVEL_POD);
	assert_string_equal(name, "0fd6e7a2");
	row_name_write(name, &labels, ROW_LEVEL_WORKLOAD);
	assert_string_equal(name, "0fd6e7a2");
	row_name_write(name, &labels, ROW_LEVEL_NAMESPACE);
	assert_string_equal(name, "(no namespace)");
	row_name_write(name, &whole, ROW_LEVEL_CONTAINER);
	assert_string_equal(name, "shop/web-0");
	row_name_write(name, &outside, ROW_LEVEL_CONTAINER);
	assert_string_equal(name, "docker-1");
	row_name_write(name, &outside, ROW_LEVEL_WORKLOAD);
	assert_string_equal(name, "docker-1");
}

static void test_filter(void **state)
{
	(void)state;
	make_rows_begun(AT(1, ""), AT(2, TWO_PODS), ROW_LEVEL_CONTAINER);
	assert_int_equal(rows_filter(&rows, "("), -EINVAL);
	assert_int_equal(rows.count, 5);
	assert_int_equal(rows_filter(&rows, "^shop/(web|db)-.*/(a|pg)$"), 0);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows_filter(&rows, "nobody"), 0);
	assert_int_equal(rows.count, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_differences),
		TEST(test_new_vanished_idle_and_restarted),
		TEST(test_first_readings),
		TEST(test_listed_late),
		TEST(test_renamed),
		TEST(test_joined),
		TEST(test_values_that_appear),
		TEST(test_another_serve),
		TEST(test_no_more_than_the_cpus),
		TEST(test_who_is_who),
		TEST(test_quantiles),
		TEST(test_inside_the_interval),
		TEST(test_causes),
		TEST(test_levels),
		TEST(test_workloads),
		TEST(test_no_namespace),
		TEST(test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
