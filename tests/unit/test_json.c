/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>

#include "counts.h"
#include "expose/json.h"
#include "expose/json_text.h"
#include "metrics/workloads.h"

static struct owners owners;
static const struct workloads *workloads; /* asked for, or NULL */

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	return 0;
}

/* What is written, read back. The caller decrefs it. */
static json_t *read_back(uint64_t time_ns)
{
	const struct scrape scrape = {.owners = &owners, .workloads = workloads};
	char *text = json_containers(&scrape, time_ns);
	json_error_t error;
	json_t *root;

	assert_non_null(text);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("%s: %s", error.text, text);
	free(text);
	return root;
}

static const json_t *container(const json_t *root, size_t i)
{
	return json_array_get(json_object_get(root, "containers"), i);
}

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t integer(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static double real(const json_t *object, const char *key)
{
	assert_true(json_is_real(json_object_get(object, key)));
	return json_real_value(json_object_get(object, key));
}

static void test_empty(void **state)
{
	json_t *root = read_back(1500000000);

	(void)state;
	assert_true(real(root, "time_seconds") == 1.5);
	assert_true(json_is_array(json_object_get(root, "containers")));
	assert_int_equal(json_array_size(json_object_get(root, "containers")), 0);
	assert_int_equal(integer(root, "last_id"), 0);
	assert_int_equal(json_object_size(root), 3);
	json_decref(root);
}

static void test_labels(void **state)
{
	json_t *root;

	(void)state;
	switches_of(unit_owner(&owners, "ssh.service"))[0] = 1;
	wait_of(container_owner(&owners, "shop", "web-0", "nginx"))->bucket[3] = 1;
	root = read_back(0);
	assert_string_equal(string(container(root, 0), "unit"), "ssh.service");
	assert_null(string(container(root, 0), "pod"));
	assert_string_equal(string(container(root, 1), "namespace"), "shop");
	assert_string_equal(string(container(root, 1), "pod"), "web-0");
	assert_string_equal(string(container(root, 1), "container"), "nginx");
	assert_null(string(container(root, 1), "unit"));
	json_decref(root);
}

/* Threads of the kernel are told apart as causes, by a field of their own. */
static void test_jobs(void **state)
{
	struct owner *victim = unit_owner(&owners, "a"), *kswapd;
	struct labels labels = {.unit = "kernel", .job = "kswapd"};
	const json_t *causes;
	json_t *root;

	(void)state;
	kswapd = owners_get(&owners, &labels);
	owners_hide(&owners, kswapd);
	owner_add_caused(victim, kswapd, 1);
	owner_add_caused(victim, unit_owner(&owners, "kernel"), 2);
	root = read_back(0);
	causes = json_object_get(container(root, 0), "cpu_wait_caused");
	assert_int_equal(json_array_size(causes), 2);
	assert_string_equal(string(json_array_get(causes, 0), "unit"), "kernel");
	assert_string_equal(string(json_array_get(causes, 0), "job"), "kswapd");
	assert_string_equal(string(json_array_get(causes, 1), "unit"), "kernel");
	assert_null(json_object_get(json_array_get(causes, 1), "job"));
	json_decref(root);
}

/* Where it is asked for and known: of who waited, and of who caused it. */
static void test_workloads(void **state)
{
	struct owner *web = container_owner(&owners, "shop", "web-0", "nginx"),
		     *train = container_owner(&owners, "shop", "train-0", "x");
	static const struct workload deployment = {"Deployment", "web"}, job = {"Job", "train"};
	/* Sorted by owner. */
	struct owner_workload list[] = {
		{web < train ? web : train, web < train ? &deployment : &job},
		{web < train ? train : web, web < train ? &job : &deployment},
	};
	const struct workloads known = {list, 2};
	const json_t *cause;
	json_t *root;

	(void)state;
	wait_of(web)->bucket[3] = 1;
	owner_add_caused(web, train, 1);
	wait_of(unit_owner(&owners, "ssh.service"))->bucket[3] = 1;
	root = read_back(0);
	assert_null(string(container(root, 0), "workload"));
	assert_null(string(container(root, 0), "workload_kind"));
	json_decref(root);
	workloads = &known;
	root = read_back(0);
	workloads = NULL;
	assert_string_equal(string(container(root, 0), "workload_kind"), "Deployment");
	assert_string_equal(string(container(root, 0), "workload"), "web");
	assert_string_equal(string(container(root, 0), "pod"), "web-0");
	cause = json_array_get(json_object_get(container(root, 0), "cpu_wait_caused"), 0);
	assert_string_equal(string(cause, "workload_kind"), "Job");
	assert_string_equal(string(cause, "workload"), "train");
	assert_null(string(container(root, 1), "workload"));
	json_decref(root);
}

/*
 * Who has done nothing since the start is there, too: else his first reading would be his whole
 * life's, and nobody could tell.
 */
static void test_idle(void **state)
{
	struct owner *idle = unit_owner(&owners, "idle"), *hidden = unit_owner(&owners, "hidden");
	json_t *root;

	(void)state;
	add_file(idle, CGROUP_CPU_USAGE, 4000000000000);
	idle->since_ns = 2500000000;
	owners_hide(&owners, hidden);
	unit_owner(&owners, "nothing");
	root = read_back(0);
	assert_int_equal(json_array_size(json_object_get(root, "containers")), 1);
	assert_string_equal(string(container(root, 0), "unit"), "idle");
	assert_true(real(container(root, 0), "cpu_usage") == 4000);
	assert_true(real(container(root, 0), "since_seconds") == 2.5);
	assert_int_equal(integer(container(root, 0), "id"), idle->id);
	assert_null(json_object_get(container(root, 0), "joined_seconds"));
	/* Up to here who is not listed has counted nothing. */
	assert_int_equal(integer(root, "last_id"), idle->id + 2);
	json_decref(root);
}

static void test_joined(void **state)
{
	struct owner *from = unit_owner(&owners, "0123"), *to = unit_owner(&owners, "web"),
		     *victim = unit_owner(&owners, "victim");
	const uint64_t id = to->id;
	const json_t *joined;
	json_t *root;

	(void)state;
	owner_add_caused(victim, from, 1);
	switches_of(to)[0] = 1;
	from->since_ns = 1500000000;
	to->since_ns = 2000000000;
	assert_ptr_equal(owners_rename(&owners, from, &to->labels), to);
	root = read_back(0);
	assert_int_equal(integer(container(root, 0), "id"), id);
	assert_true(real(container(root, 0), "since_seconds") == 1.5);
	joined = json_object_get(container(root, 0), "joined_seconds");
	assert_int_equal(json_array_size(joined), 2);
	assert_true(json_number_value(json_array_get(joined, 0)) == 1.5);
	assert_true(json_number_value(json_array_get(joined, 1)) > 2);
	/* What it waited because of the one is what it waited because of the other. */
	assert_int_equal(json_array_size(json_object_get(container(root, 1), "joined_seconds")), 2);
	joined = json_array_get(json_object_get(container(root, 1), "cpu_wait_caused"), 0);
	assert_int_equal(integer(joined, "id"), id);
	json_decref(root);
}

static void test_histogram(void **state)
{
	struct hist_total *hist = wait_of(unit_owner(&owners, "a"));
	const json_t *wait, *buckets, *pair;
	json_t *root;

	(void)state;
	hist->sum_ns = 1250000000;
	hist->bucket[0] = 1;
	hist->bucket[-HIST_MIN_K] = 20; /* ends at 2^0 s */
	hist->bucket[HIST_BUCKETS - 1] = UINT64_C(1) << 40;
	root = read_back(0);
	wait = json_object_get(container(root, 0), "cpu_wait");
	assert_int_equal(integer(wait, "count"), (UINT64_C(1) << 40) + 21);
	assert_true(real(wait, "sum_seconds") == 1.25);
	buckets = json_object_get(wait, "buckets");
	assert_int_equal(json_array_size(buckets), 3);
	pair = json_array_get(buckets, 0);
	assert_int_equal(json_array_size(pair), 2);
	assert_int_equal(json_integer_value(json_array_get(pair, 0)), HIST_MIN_K);
	assert_int_equal(json_integer_value(json_array_get(pair, 1)), 1);
	pair = json_array_get(buckets, 1);
	assert_int_equal(json_integer_value(json_array_get(pair, 0)), 0);
	assert_int_equal(json_integer_value(json_array_get(pair, 1)), 20);
	pair = json_array_get(buckets, 2);
	assert_int_equal(json_integer_value(json_array_get(pair, 0)), HIST_MAX_K + 1);
	assert_int_equal(json_integer_value(json_array_get(pair, 1)), UINT64_C(1) << 40);
	json_decref(root);
}

static void test_switches(void **state)
{
	struct owner *owner = unit_owner(&owners, "a");
	const json_t *switches;
	json_t *root;

	(void)state;
	switches_of(owner)[SWITCH_VOLUNTARY] = 3;
	switches_of(owner)[SWITCH_INVOLUNTARY] = 4;
	root = read_back(0);
	switches = json_object_get(container(root, 0), "cpu_context_switches");
	assert_int_equal(integer(switches, "voluntary"), 3);
	assert_int_equal(integer(switches, "involuntary"), 4);
	json_decref(root);
}

static void test_causes(void **state)
{
	struct owner *victim = container_owner(&owners, "shop", "web-0", "nginx"),
		     *hog = container_owner(&owners, "shop", "hog", "spin");
	const json_t *causes;
	json_t *root;

	(void)state;
	switches_of(hog)[0] = 1;
	owner_add_caused(victim, hog, 500000000);
	owner_add_caused(victim, unit_owner(&owners, "k3s.service"), 250000000);
	owner_add_caused(victim, &owner_other, 125000000);
	root = read_back(0);
	causes = json_object_get(container(root, 0), "cpu_wait_caused");
	assert_int_equal(json_array_size(causes), 3);
	assert_string_equal(string(json_array_get(causes, 0), "pod"), "hog");
	assert_true(real(json_array_get(causes, 0), "seconds") == 0.5);
	assert_string_equal(string(json_array_get(causes, 1), "unit"), "k3s.service");
	assert_true(real(json_array_get(causes, 1), "seconds") == 0.25);
	assert_string_equal(string(json_array_get(causes, 2), "unit"), "other");
	assert_true(real(json_array_get(causes, 2), "seconds") == 0.125);
	causes = json_object_get(container(root, 1), "cpu_wait_caused");
	assert_true(json_is_array(causes));
	assert_int_equal(json_array_size(causes), 0);
	json_decref(root);
}

static void test_escapes(void **state)
{
	const char *name = "\"a\\b\"\n\t\x1b \xc3\xb6\xe2\x82\xac";
	json_t *root;

	(void)state;
	owner_add_caused(unit_owner(&owners, name), unit_owner(&owners, name), 1);
	root = read_back(0);
	assert_string_equal(string(container(root, 0), "unit"), name);
	assert_string_equal(
		string(json_array_get(json_object_get(container(root, 0), "cpu_wait_caused"), 0),
		       "unit"),
		name);
	json_decref(root);
}

/* Zeros that the kernel tells are there; what it does not tell is not. */
static void test_files(void **state)
{
	struct owner *owner = unit_owner(&owners, "a");
	const json_t *object;
	json_t *root;

	(void)state;
	switches_of(owner)[0] = 1;
	add_file(owner, CGROUP_CPU_USAGE, 2000000001);
	add_file(owner, CGROUP_CPU_THROTTLED, 0);
	add_file(owner, CGROUP_MEMORY_EVENTS_OOM_KILL, 3);
	add_file(owner, PRESSURE_VALUE(PRESSURE_MEMORY, PRESSURE_SOME), 500000000);
	root = read_back(0);
	assert_true(real(container(root, 0), "cpu_usage") == 2.000000001);
	assert_true(real(container(root, 0), "cpu_throttled") == 0);
	assert_null(json_object_get(container(root, 0), "memory_limit_bytes"));
	object = json_object_get(container(root, 0), "memory_events");
	assert_int_equal(integer(object, "oom_kill"), 3);
	assert_int_equal(json_object_size(object), 1);
	object = json_object_get(json_object_get(container(root, 0), "pressure"), "memory");
	assert_true(real(object, "some") == 0.5);
	assert_null(json_object_get(object, "full"));
	json_decref(root);
}

static void check_text(struct json_text *json, const char *expected)
{
	assert_string_equal(json->buf.data, expected);
	buf_free(&json->buf);
	*json = (struct json_text){0};
}

static void test_numbers_as_text(void **state)
{
	struct json_text json = {0};

	(void)state;
	json_text_billionths(&json, 0);
	check_text(&json, "0.0");
	json_text_billionths(&json, 1);
	check_text(&json, "0.000000001");
	json_text_billionths(&json, -62500000000);
	check_text(&json, "-62.5");
	json_text_billionths(&json, INT64_MAX);
	check_text(&json, "9223372036.854775807");
	json_text_integer(&json, INT64_MIN);
	check_text(&json, "-9223372036854775808");
	json_text_open(&json, '[');
	json_text_unsigned(&json, UINT64_MAX);
	json_text_open(&json, '{');
	json_text_key(&json, "a");
	json_text_bool(&json, true);
	json_text_key(&json, "b");
	json_text_open(&json, '[');
	json_text_close(&json, ']');
	json_text_close(&json, '}');
	json_text_bool(&json, false);
	json_text_close(&json, ']');
	check_text(&json, "[18446744073709551615,{\"a\":true,\"b\":[]},false]");
}

/* JSON is UTF-8: other bytes are replaced, one by one. */
static void test_bytes_that_are_no_text(void **state)
{
	struct json_text json = {0};

	(void)state;
	json_text_string(&json, "a\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80z\xe2\x82");
	check_text(&json,
		   "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
		   "\\ufffdz\\ufffd\\ufffd\"");
	json_text_string(&json, "\x7f\xc3\xa4\xf0\x9f\x8d\x87\x01");
	check_text(&json, "\"\x7f\xc3\xa4\xf0\x9f\x8d\x87\\u0001\"");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),
		TEST(test_labels),
		TEST(test_workloads),
		TEST(test_idle),
		TEST(test_joined),
		TEST(test_histogram),
		TEST(test_switches),
		TEST(test_jobs),
		TEST(test_causes),
		TEST(test_escapes),
		TEST(test_files),
		TEST(test_numbers_as_text),
		TEST(test_bytes_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
