/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a reading has of what was told, and what is no reading. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "counts.h"
#include "diagnose/reading_scrape.h"
#include "expose/json.h"
#include "metrics/workloads.h"
#include "readings.h"

static int teardown(void **state)
{
	(void)state;
	free_rows();
	return 0;
}

#define LABELS(pod)	     "'namespace':'shop','pod':'" pod "','container':'main'"
#define AT(time, containers) "{'time_seconds':" #time ",'containers':[" containers "]}"

static void test_all_fields(void **state)
{
	const struct reading_entry *entry;
	struct reading_labels labels = {"shop", "web-0", "main", "", "", ""};

	(void)state;
	/* clang-format off */
	assert_int_equal(read_text(&reading_now, AT(7.5, "{" LABELS("web-0") ","
		"'workload':'web','workload_kind':'Deployment','later':[{'x':[1]}],"
		"'cpu_wait':" HIST(3, 0.5, "[-80,1],[0,2]") ","
		"'cpu_context_switches':{'voluntary':4,'involuntary':5,'odd':1},"
		"'block_io':[{'device':'a','op':'read','value':" HIST(1, 1, "[4,1]") "},"
			"{'value':" HIST(2, 2, "[4,2]") ",'op':'read','device':'b'},"
			"{'device':'a','op':'flush','value':" HIST(5, 3, "[0,5]") "}],"
		"'tcp_response':{'server':" HIST(6, 6, "[0,6]") ",'client':" HIST(7, 7, "[0,7]") "},"
		"'pressure':[{'resource':'cpu','kind':'some','value':9},"
			"{'resource':'memory','kind':'some','value':2.5}],"
		"'tcp_open_connections':12,'memory_oom_kills':1,"
		"'cpu_wait_caused':[{'unit':'kernel','seconds':0.25}]}")), 0);
	/* clang-format on */
	assert_true(near(reading_now.time_seconds, 7.5));
	entry = reading_find(&reading_now, 0, &labels);
	assert_non_null(entry);
	assert_string_equal(entry->labels.workload, "web");
	assert_true(entry->hist[SIGNAL_CPU_WAIT].known);
	assert_true(near(entry->hist[SIGNAL_CPU_WAIT].count, 3));
	assert_true(near(entry->hist[SIGNAL_CPU_WAIT].sum_seconds, 0.5));
	assert_int_equal(entry->hist[SIGNAL_CPU_WAIT].bucket_count, 2);
	assert_true(near(entry->value[SIGNAL_SWITCHES_VOLUNTARY], 4));
	assert_true(near(entry->value[SIGNAL_SWITCHES_INVOLUNTARY], 5));
	assert_true(near(entry->hist[SIGNAL_BLOCK_READ].count, 3)); /* of both devices */
	assert_true(near(entry->hist[SIGNAL_BLOCK_READ].sum_seconds, 3));
	assert_true(near(entry->hist[SIGNAL_BLOCK_WRITE].count, 5));
	assert_true(near(entry->hist[SIGNAL_RESPONSE_SERVER].count, 6));
	assert_true(near(entry->hist[SIGNAL_RESPONSE_CLIENT].count, 7));
	assert_true(near(entry->value[SIGNAL_PRESSURE_MEMORY], 2.5));
	assert_true(near(entry->value[SIGNAL_OPEN_CONNECTIONS], 12));
	assert_true(near(entry->value[SIGNAL_OOM_KILLS], 1));
	assert_int_equal(entry->cause_count, 1);
	assert_string_equal(entry->causes[0].labels.unit, "kernel");
	/* What is not there is not known. */
	assert_false(entry->hist[SIGNAL_FSYNC].known);
	assert_false(entry->value_known[SIGNAL_CPU_USAGE]);
	assert_false(reading_has_hist(&reading_now, SIGNAL_FSYNC));
	assert_true(reading_has_hist(&reading_now, SIGNAL_RESPONSE_CLIENT));
	assert_false(reading_has_value(&reading_now, SIGNAL_RETRANSMITS));
}

static void test_node(void **state)
{
	(void)state;
	assert_int_equal(
		read_text(&reading_now,
			  "{'time_seconds':1,'containers':[],"
			  "'probes':{'sched':true,'tcp':false,'later':true},"
			  "'node':{'name':'pi4','cpus':4,'load1':1.5,'load5':1.25,'load15':1,"
			  "'memory_total_bytes':4e9,'memory_available_bytes':1e9,"
			  "'temperature_celsius':[{'chip_name':'nvme','sensor':'a','value':81},"
			  "{'chip_name':'cpu-thermal','sensor':'thermal_zone0','value':62.5},"
			  "{'chip_name':'rp1','sensor':'b','value':70}],"
			  "'throttled':[{'reason':'under_voltage','value':1},{'reason':'"
			  "temperature','value':0}]"
			  "}}"),
		0);
	assert_string_equal(reading_now.node.name, "pi4");
	assert_true(near(reading_now.node.load[1], 1.25));
	assert_true(near(reading_now.node.celsius, 62.5)); /* not the hotter disk */
	assert_true(reading_now.node.throttle_known);
	assert_int_equal(reading_now.node.throttled_count, 1);
	assert_string_equal(reading_now.node.throttled[0], "under_voltage");
	assert_true(near(reading_now.node.memory_total, 4e9));
	assert_true(reading_now.probe_up[SIGNAL_PROBE_SCHED]);
	assert_true(reading_has_hist(&reading_now, SIGNAL_CPU_WAIT)); /* though nothing ran */
	assert_true(reading_now.probe_known[SIGNAL_PROBE_TCP]);
	assert_false(reading_has_hist(&reading_now, SIGNAL_RTT));
	reading_free(&reading_now);
	assert_int_equal(read_text(&reading_now, AT(1, "")), 0);
	assert_true(isnan(reading_now.node.load[0]) && isnan(reading_now.node.celsius));
	assert_false(reading_now.node.throttle_known);
}

static void check_wrong(const char *text)
{
	assert_int_equal(read_text(&reading_now, text), -EINVAL);
	reading_free(&reading_now);
}

static void test_wrong_readings(void **state)
{
	(void)state;
	check_wrong("");
	check_wrong("[]");
	check_wrong("{}");
	check_wrong("{'time_seconds':1}");
	check_wrong("{'containers':[]}");
	check_wrong("{'time_seconds':'1','containers':[]}");
	check_wrong("{'time_seconds':1,'containers':[}");
	check_wrong("{'time_seconds':1,'containers':[]} x");
	check_wrong("{'time_seconds':1,'containers':[{'cpu_wait':{'count':1");
	/* Elements that are no containers are ones without anything. */
	make_rows_of(AT(1, ""), AT(2, "7,{},[],{'cpu_wait':7},{'cpu_wait':{'count':'x'}}"),
		     ROW_LEVEL_CONTAINER);
	assert_int_equal(rows.count, 0);
	free_rows();
	/* No time between the two, or backwards. */
	assert_int_equal(read_text(&reading_before, AT(2, "")), 0);
	assert_int_equal(read_text(&reading_now, AT(2, "")), 0);
	assert_int_equal(rows_make(&reading_before, &reading_now, ROW_LEVEL_POD, &rows), -EINVAL);
}

/* ---------------------------------------------------------------- without a text in between */

static struct owners owners;

static struct owner *add_owner(const char *unit, const char *pod)
{
	struct labels labels = {.unit = ""};

	snprintf(labels.unit, sizeof(labels.unit), "%s", unit);
	snprintf(labels.pod, sizeof(labels.pod), "%s", pod);
	snprintf(labels.name_space, sizeof(labels.name_space), "%s", pod[0] ? "shop" : "");
	snprintf(labels.container, sizeof(labels.container), "%s", unit[0] ? "" : "main");
	return owners_get(&owners, &labels);
}

/* The reading of some owners. Both ways to it have to give the same. */
static void read_owners(const struct scrape *scrape, uint64_t time_ns)
{
	char *text = json_containers(scrape, time_ns);

	free_rows();
	assert_non_null(text);
	assert_int_equal(reading_parse(&reading_before, text, strlen(text)), 0);
	assert_int_equal(reading_of_scrape(&reading_now, scrape, time_ns), 0);
	assert_same_reading(&reading_now, &reading_before);
}

static void test_of_scrape(void **state)
{
	struct owner *web = add_owner("", "web-0"), *docker = add_owner("", "");
	struct owner *odd = add_owner("\xff\x01\xc3\xa4\"\\", ""), *from = add_owner("from", "");
	static const struct workload deployment = {"Deployment", "web"};
	struct owner_workload told[] = {{web, &deployment}};
	const struct workloads workloads = {told, 1};
	const struct scrape scrape = {.owners = &owners, .workloads = &workloads};

	(void)state;
	add_owner("nothing", "");
	owners_hide(&owners, add_owner("hidden", ""));
	wait_of(web)->sum_ns = 1234567890123456789;
	wait_of(web)->bucket[3] = 1;
	wait_of(web)->bucket[HIST_BUCKETS - 1] = 1ULL << 52;
	switches_of(web)[1] = 7;
	web->since_ns = 100000000001;
	owner_add_caused(web, odd, 1999999999);
	owner_add_caused(web, &owner_other, 3);
	owner_add_caused(web, &owner_gone, 4);
	owner_add_caused(web, web, 5);
	add_file(docker, CGROUP_CPU_USAGE, 0);
	add_file(docker, CGROUP_MEMORY_LIMIT, 1 << 30);
	switches_of(odd)[0] = 1;
	switches_of(from)[0] = 1;
	from->since_ns = 5;
	read_owners(&scrape, 200000000002);
	assert_int_equal(reading_now.count, 4);
	assert_string_equal(reading_now.entries[0].labels.workload, "web");
	assert_int_equal(reading_now.entries[0].cause_count, 3);
	assert_string_equal(reading_now.entries[0].causes[2].labels.unit, "other");
	assert_string_equal(reading_now.entries[2].labels.unit, "\xef\xbf\xbd\x01\xc3\xa4\"\\");
	assert_false(reading_now.entries[1].value_known[SIGNAL_CPU_THROTTLED]);
	assert_true(reading_now.entries[1].value_known[SIGNAL_CPU_USAGE]);
	/* Two owners turn out to be one. */
	owners_rename(&owners, from, &odd->labels);
	read_owners(&scrape, 300000000003);
	assert_int_equal(reading_now.count, 3);
	assert_false(isnan(reading_now.entries[2].joined_at_seconds));
	owners_free(&owners);
	read_owners(&scrape, 300000000004);
	assert_int_equal(reading_now.count, 0);
}

/* A field that no family has would never be read, and nobody would know. */
static void test_fields_are_families(void **state)
{
	char name[FAMILY_FIELD_SIZE];
	size_t i, n;

	(void)state;
	for (i = 0; i < signal_field_count; i++) {
		for (n = 0; n < FAMILIES; n++) {
			family_field(&families[n], name);
			if (families[n].scope == SCOPE_OWNER &&
			    strcmp(name, signal_fields[i].name) == 0)
				break;
		}
		if (n == FAMILIES)
			fail_msg("no family has the field %s", signal_fields[i].name);
		assert_int_equal(families[n].kind == KIND_HISTOGRAM,
				 signal_fields[i].kind == SIGNAL_FIELD_HIST);
	}
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_fields),		TEST(test_node),
		TEST(test_wrong_readings),	TEST(test_of_scrape),
		TEST(test_fields_are_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
