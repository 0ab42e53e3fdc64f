/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of pods, filled with the lists that a kubelet gives. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kube/pods.h"
#include "util/array.h"
#include "util/buf.h"

/* The documents, written by hand after the reference of the API's core/v1 Pod. */
#define DOCUMENTS "tests/kubelet/pods/"

#define KEEP_NS	  UINT64_C(300000000000)

/* What the heap holds, if the sanitizer is there to tell. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static struct label_keys keys;
static struct pods pods;

static int setup(void **state)
{
	(void)state;
	if (label_keys_parse("app,app.kubernetes.io/name", &keys))
		return -1;
	pods_init(&pods, &keys, KEEP_NS);
	pods_begin_listing(&pods);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pods_free(&pods);
	label_keys_free(&keys);
	return 0;
}

static int add_text(const char *text)
{
	return pods_add(&pods, text, strlen(text));
}

static int add_document(const char *name)
{
	char path[256];
	struct buf text;
	int err;

	(void)snprintf(path, sizeof(path), DOCUMENTS "%s.json", name);
	assert_int_equal(buf_read_file(&text, path, 1 << 20), 0);
	err = pods_add(&pods, text.data, text.len);
	buf_free(&text);
	return err;
}

/* Adds a document and returns the pod of a uid. */
static const struct kube_pod *read_document(const char *name, const char *uid)
{
	const struct kube_pod *pod;

	assert_int_equal(add_document(name), 0);
	pod = pods_find(&pods, uid);
	assert_non_null(pod);
	return pod;
}

/* The documents' uids and container ids differ in their last digits. */
#define UID(end) "10000000-0000-4000-8000-0000000000" end
#define ID(end)	 "000000000000000000000000000000000000000000000000000000000000" end

static void assert_pod(const struct kube_pod *pod, const char *namespace, const char *name,
		       const char *kind, const char *workload)
{
	assert_string_equal(pod->namespace, namespace);
	assert_string_equal(pod->name, name);
	assert_string_equal(pod->workload.kind, kind);
	assert_string_equal(pod->workload.name, workload);
}

static void assert_container(const struct kube_pod *pod, const char *id, const char *name)
{
	const struct pod_container *container = pod_find_container(pod, id);

	assert_non_null(container);
	assert_string_equal(container->name, name);
}

static void a_deployment(void **state)
{
	const struct kube_pod *pod = read_document("deployment", UID("01"));

	(void)state;
	assert_pod(pod, "shop", "web-7d4b9c6f5-x2x8k", "Deployment", "web");
	assert_string_equal(pod->node, "pi-1");
	assert_int_equal(pod->qos, QOS_BURSTABLE);
	assert_int_equal(pod->made_s, 1714550400);
	assert_int_equal(pod->container_count, 2);
	assert_container(pod, ID("0101"), "web");
	assert_container(pod, ID("0102"), "metrics");
	assert_string_equal(pod_find_container(pod, ID("0101"))->image,
			    "docker.io/library/nginx:1.27");
	assert_null(pod_find_container(pod, ID("0103")));
	assert_string_equal(pod->labels[0], "web");
	assert_string_equal(pod->labels[1], "storefront");
	assert_true(pod->complete);
	assert_null(pods_find(&pods, UID("02")));
}

static void jobs_by_hand_and_of_a_cronjob(void **state)
{
	const struct kube_pod *pod = read_document("cronjob", UID("02"));

	(void)state;
	assert_pod(pod, "ops", "backup-28576800-q7k2p", "CronJob", "backup");
	assert_container(pod, ID("0201"), "dump");
	assert_int_equal(pod->container_count, 1);
	pod = read_document("job", UID("03"));
	assert_pod(pod, "shop", "migrate-20240501-zz9xk", "Job", "migrate-20240501");
}

static void static_pods_go_by_their_config_hash(void **state)
{
	const char *hash = "ffeeddccbbaa99887766554433221100";
	const struct kube_pod *pod = read_document("static", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");

	(void)state;
	assert_pod(pod, "kube-system", "etcd-pi-1", "Node", "pi-1");
	assert_container(pod, ID("0401"), "etcd");
	pod = read_document("mirror", hash);
	assert_pod(pod, "kube-system", "kube-apiserver-pi-1", "Node", "pi-1");
	assert_string_equal(pod->uid, UID("05"));
	assert_ptr_equal(pods_find(&pods, UID("05")), pod);
}

/* An ordinary pod cannot take a static pod's name by an annotation. */
static void only_static_pods_have_a_config_hash(void **state)
{
	(void)state;
	assert_int_equal(
		add_text("{\"metadata\":{\"name\":\"liar\",\"namespace\":\"default\",\"uid\":"
			 "\"" UID("20") "\",\"annotations\":{\"kubernetes.io/config.hash\":"
					"\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\"}}}"),
		0);
	assert_null(pods_find(&pods, "0a1b2c3d4e5f60718293a4b5c6d7e8f9"));
}

static void a_mirror_pod_made_anew_keeps_the_name(void **state)
{
	static const char format[] =
		"{\"metadata\":{\"name\":\"etcd-pi-1\",\"namespace\":\"kube-system\",\"uid\":"
		"\"10000000-0000-4000-8000-0000000000%02x\",\"annotations\":{"
		"\"kubernetes.io/config.source\":\"file\",\"kubernetes.io/config.hash\":"
		"\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\"}}}";
	char text[512];

	(void)state;
	for (unsigned int i = 0x30; i < 0x33; i++) {
		pods_begin_listing(&pods);
		(void)snprintf(text, sizeof(text), format, i);
		assert_int_equal(add_text(text), 0);
		pods_end_listing(&pods, true, 1 + i * KEEP_NS);
	}
	pods_begin_listing(&pods);
	assert_int_equal(add_text(text), 0);
	pods_end_listing(&pods, true, 0x40 * KEEP_NS);
	assert_int_equal(pods_count(&pods), 1);
	assert_non_null(pods_find(&pods, "0a1b2c3d4e5f60718293a4b5c6d7e8f9"));
}

static void init_and_ephemeral_containers(void **state)
{
	const struct kube_pod *pod = read_document("init", UID("06"));

	(void)state;
	assert_pod(pod, "shop", "db-0", "StatefulSet", "db");
	assert_int_equal(pod->qos, QOS_GUARANTEED);
	assert_container(pod, ID("0601"), "chown");
	assert_container(pod, ID("0602"), "log-shipper");
	assert_container(pod, ID("0603"), "postgres");
	pod = read_document("ephemeral", UID("07"));
	assert_pod(pod, "shop", "cache-0", "", "");
	assert_container(pod, ID("0701"), "redis");
	assert_container(pod, ID("0702"), "debugger-5x7kq");
}

static void a_restart_has_another_id(void **state)
{
	const struct kube_pod *pod = read_document("restarted", UID("08"));

	(void)state;
	/* Without the label pod-template-hash the ReplicaSet is nobody's. */
	assert_pod(pod, "shop", "flaky-5c9d8-abcde", "ReplicaSet", "flaky-5c9d8");
	assert_container(pod, ID("0801"), "app");
	assert_container(pod, ID("0802"), "app");
}

static void a_pod_made_anew_is_another(void **state)
{
	const struct kube_pod *old = read_document("recreated-old", UID("09"));
	const struct kube_pod *new = read_document("recreated-new", UID("0a"));

	(void)state;
	assert_ptr_not_equal(old, new);
	assert_string_equal(old->name, new->name);
	assert_container(old, ID("0901"), "nats");
	assert_container(new, ID("0a01"), "nats");
	assert_null(pod_find_container(new, ID("0901")));
}

static void other_runtimes(void **state)
{
	const struct kube_pod *pod = read_document("crio", UID("0b"));

	(void)state;
	assert_pod(pod, "kube-system", "node-agent-kx8wz", "DaemonSet", "node-agent");
	assert_container(pod, ID("0b01"), "agent");
	assert_null(pod->labels[0]);
	assert_string_equal(pod->labels[1], "node-agent");
	pod = read_document("docker", UID("0c"));
	assert_pod(pod, "default", "legacy-0", "ReplicationController", "legacy");
	assert_container(pod, ID("0c01"), "main");
}

static void a_pod_that_begins(void **state)
{
	const struct kube_pod *pod = read_document("pending", UID("0d"));

	(void)state;
	assert_int_equal(pod->container_count, 0);
	assert_false(pod->complete);
}

static void a_pod_without_a_controller(void **state)
{
	(void)state;
	assert_pod(read_document("bare", UID("10")), "default", "shell", "", "");
}

static void nulls_are_nothing(void **state)
{
	const struct kube_pod *pod = read_document("nulls", UID("0e"));

	(void)state;
	assert_pod(pod, "default", "nulls-0", "", "");
	assert_string_equal(pod->node, "");
	assert_int_equal(pod->qos, QOS_NONE);
	assert_int_equal(pod->container_count, 1);
	assert_container(pod, ID("0e01"), "main");
}

static void odd_values_are_taken_as_they_are_or_not_at_all(void **state)
{
	const struct kube_pod *pod = read_document("odd", UID("0f"));

	(void)state;
	assert_pod(pod, "default", "odd-0", "", "");
	assert_string_equal(pod->node, "");
	assert_int_equal(pod->made_s, 0);
	assert_string_equal(pod->labels[0], "\"quoted\" \\ back\nline\ttab \x7f \xc3\xa9 "
					    "\xf0\x9f\x8d\x93 {} , =");
	assert_null(pod->labels[1]);
	assert_int_equal(pod->container_count, 1);
	assert_container(pod, ID("0f01"), "main");
	assert_string_equal(pod_find_container(pod, ID("0f01"))->image, "\xc3\xa9vil\"\n\\image");
}

static void long_values_are_cut_between_characters(void **state)
{
	struct buf text = {0};
	const struct kube_pod *pod;

	(void)state;
	buf_puts(&text, "{\"metadata\":{\"name\":\"long\",\"namespace\":\"default\",\"uid\":"
			"\"" UID("21") "\",\"labels\":{\"app\":\"x");
	for (int i = 0; i < 1000; i++)
		buf_puts(&text, "\xc3\xa9");
	buf_puts(&text, "\"}}}");
	assert_int_equal(add_text(text.data), 0);
	buf_free(&text);
	pod = pods_find(&pods, UID("21"));
	assert_int_equal(strlen(pod->labels[0]), LABEL_VALUE_MAX - 1);
	assert_memory_equal(pod->labels[0] + LABEL_VALUE_MAX - 3, "\xc3\xa9", 2);
}

static void what_is_no_pod_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"metadata\":[]}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\"}}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"\"}}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"../../etc\"}}",
		"{\"metadata\":{\"name\":\"a/b\",\"namespace\":\"b\",\"uid\":\"" UID("01") "\"}}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b.c\",\"uid\":\"" UID("01") "\"}}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"\xff\",\"uid\":\"" UID("01") "\"}}",
		"{\"metadata\":{\"name\":\"a\\u0000b\",\"namespace\":\"b\",\"uid\":\"" UID(
			"01") "\"}}",
		"{\"metadata\":{\"name\":7,\"namespace\":\"b\",\"uid\":\"" UID("01") "\"}}",
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"b\",\"uid\":\"" UID("01") "\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(add_text(texts[i]), -EINVAL);
	assert_int_equal(pods_count(&pods), 0);
}

static void of_two_with_one_uid_the_first_stays(void **state)
{
	static const char other[] =
		"{\"metadata\":{\"name\":\"other\",\"namespace\":\"shop\",\"uid\":\"" UID(
			"01") "\"}}";

	(void)state;
	assert_int_equal(add_document("deployment"), 0);
	assert_int_equal(add_text(other), -EEXIST);
	assert_string_equal(pods_find(&pods, UID("01"))->name, "web-7d4b9c6f5-x2x8k");
	assert_int_equal(add_document("deployment"), 0); /* twice the same is no contradiction */
	pods_end_listing(&pods, true, 1);
	/* In the next listing it may be another. */
	pods_begin_listing(&pods);
	assert_int_equal(add_text(other), 0);
	assert_string_equal(pods_find(&pods, UID("01"))->name, "other");
	assert_int_equal(pods_count(&pods), 1);
}

static void an_unchanged_pod_is_not_parsed_again(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		pods_begin_listing(&pods);
		assert_int_equal(add_document("deployment"), 0);
		pods_end_listing(&pods, true, 1);
	}
	assert_int_equal(pods.parsed, 1);
}

static void what_is_listed_no_more_goes_later(void **state)
{
	(void)state;
	assert_int_equal(add_document("deployment"), 0);
	pods_end_listing(&pods, true, 1000);
	pods_begin_listing(&pods);
	pods_end_listing(&pods, false, 2000); /* not whole: it says nothing of what it lacks */
	pods_begin_listing(&pods);
	pods_end_listing(&pods, false, 2000 + 2 * KEEP_NS);
	assert_non_null(pods_find(&pods, UID("01")));
	pods_begin_listing(&pods);
	pods_end_listing(&pods, true, 3 * KEEP_NS);
	assert_non_null(pods_find(&pods, UID("01")));
	pods_begin_listing(&pods);
	pods_end_listing(&pods, true, 4 * KEEP_NS + 1);
	assert_null(pods_find(&pods, UID("01")));
	assert_int_equal(pods_count(&pods), 0);
}

static size_t heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : 0;
}

/* A listing of 100 pods, of which the first are gone in the next. */
static void list_pods(unsigned int first, uint64_t now_ns)
{
	char text[1024];

	pods_begin_listing(&pods);
	for (unsigned int i = first; i < first + 100; i++) {
		(void)snprintf(
			text, sizeof(text),
			"{\"metadata\":{\"name\":\"job-%u\",\"namespace\":\"batch\",\"uid\":"
			"\"10000000-0000-4000-8000-%012x\",\"labels\":{\"app\":\"job\"},"
			"\"annotations\":{\"kubernetes.io/config.source\":\"file\","
			"\"kubernetes.io/config.hash\":\"%032x\"}},"
			"\"status\":{\"containerStatuses\":[{\"name\":\"main\",\"image\":\"i\","
			"\"containerID\":\"containerd://%064x\"}]}}",
			i, i, i, i);
		assert_int_equal(add_text(text), 0);
	}
	pods_end_listing(&pods, true, now_ns);
}

/* Ten thousand pods come and go in a week: the table and the heap are as after the first hours. */
static void ten_thousand_pods_leave_nothing_behind(void **state)
{
	const uint64_t step_ns = UINT64_C(60480000000000) / 10000 * 10; /* ten pods a step */
	size_t early = 0, peak = 0;

	(void)state;
	for (unsigned int i = 0; i <= 10000; i += 10) {
		list_pods(i, 1 + i / 10 * step_ns);
		if (i == 1000)
			early = heap_bytes();
		if (heap_bytes() > peak)
			peak = heap_bytes();
		assert_true(pods_count(&pods) <= 200);
	}
	print_message("heap: %zu bytes after 1,000 pods, %zu after 10,000, %zu at most\n", early,
		      heap_bytes(), peak);
	assert_true(heap_bytes() <= early + early / 10);
	assert_true(peak <= 2 * early);
}

/* ---- addresses */

/* Lists a pod with this uid and these fields of its specification and its status. */
static void list_one(const char *end, const char *spec, const char *status)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "{\"metadata\":{\"name\":\"pod-%s\",\"namespace\":\"shop\",\"uid\":\"" UID(
			       "%s") "\"},\"spec\":{%s},\"status\":{%s}}",
		       end, end, spec, status);
	assert_int_equal(add_text(text), 0);
}

/* The name of the pod at an address; "" if there is none. */
static const char *name_at(const char *ip)
{
	uint32_t words[4] = {0, 0, htonl(0xffff)};
	const struct kube_pod *pod;

	if (inet_pton(AF_INET, ip, &words[3]) != 1)
		assert_int_equal(inet_pton(AF_INET6, ip, words), 1);
	pod = pods_find_address(&pods, words);
	return pod ? pod->name : "";
}

static void pods_have_addresses(void **state)
{
	(void)state;
	list_one("01", "", "\"hostIP\":\"10.0.0.1\",\"podIP\":\"10.42.0.7\"");
	list_one(
		"02", "",
		"\"podIP\":\"10.42.0.8\",\"podIPs\":[{\"ip\":\"10.42.0.8\"},{\"ip\":\"fd00::8\"}]");
	pods_end_listing(&pods, true, 1);
	assert_string_equal(name_at("10.42.0.7"), "pod-01");
	assert_string_equal(name_at("10.42.0.8"), "pod-02");
	assert_string_equal(name_at("fd00::8"), "pod-02");
	assert_string_equal(name_at("10.42.0.9"), "");
	assert_string_equal(name_at("::"), "");
}

/* An address that does not tell the pod for sure has no name. */
static void an_address_of_more_than_one_is_nobodys(void **state)
{
	(void)state;
	list_one("01", "\"hostNetwork\":true", "\"podIP\":\"10.0.0.1\"");
	list_one("02", "", "\"hostIP\":\"10.0.0.2\",\"podIP\":\"10.0.0.2\"");
	list_one("03", "", "\"hostIPs\":[{\"ip\":\"fd00::1\"}],\"podIPs\":[{\"ip\":\"fd00::1\"}]");
	list_one("04", "", "\"podIP\":\"10.42.0.7\"");
	list_one("05", "", "\"podIP\":\"10.42.0.7\"");
	list_one("06", "", "\"podIP\":\"no address\"");
	pods_end_listing(&pods, true, 1);
	assert_string_equal(name_at("10.0.0.1"), "");
	assert_string_equal(name_at("10.0.0.2"), "");
	assert_string_equal(name_at("fd00::1"), "");
	assert_string_equal(name_at("10.42.0.7"), "");
}

/* The address of a pod that has ended, or is listed no more, goes to another pod. */
static void an_address_goes_to_the_next_pod(void **state)
{
	(void)state;
	list_one("01", "", "\"phase\":\"Succeeded\",\"podIP\":\"10.42.0.7\"");
	list_one("02", "", "\"phase\":\"Failed\",\"podIP\":\"10.42.0.7\"");
	list_one("03", "", "\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"");
	pods_end_listing(&pods, true, 1);
	assert_string_equal(name_at("10.42.0.7"), "pod-03");
	pods_begin_listing(&pods);
	pods_end_listing(&pods, true, 2);
	assert_string_equal(name_at("10.42.0.7"), "");
	pods_begin_listing(&pods);
	list_one("04", "", "\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"");
	pods_end_listing(&pods, true, 3);
	assert_string_equal(name_at("10.42.0.7"), "pod-04");
}

/* The kubelet's list may be a minute old when another pod gets the address. */
static void a_pod_that_has_ended_has_no_address(void **state)
{
	const char *running = "\"phase\":\"Running\",\"podIP\":\"10.42.0.7\"";
	uint64_t changed;

	(void)state;
	list_one("01", "", running);
	pods_end_listing(&pods, true, 1);
	assert_string_equal(name_at("10.42.0.7"), "pod-01");
	changed = pods_addresses_changed(&pods);
	pods_end(&pods, UID("01"));
	assert_int_not_equal(pods_addresses_changed(&pods), changed);
	assert_string_equal(name_at("10.42.0.7"), "");
	pods_end(&pods, UID("99")); /* not known */
	pods_begin_listing(&pods);
	list_one("01", "", running);
	pods_end_listing(&pods, true, 2);
	assert_string_equal(name_at("10.42.0.7"), "");
	/* Its sandbox was made again. */
	pods_begin_listing(&pods);
	list_one("01", "", "\"phase\":\"Running\",\"podIP\":\"10.42.0.8\"");
	pods_end_listing(&pods, true, 3);
	assert_string_equal(name_at("10.42.0.8"), "pod-01");
}

static void there_is_a_bound(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PODS_MAX; i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"uid\":"
			       "\"10000000-0000-4000-8000-%012x\"}}",
			       0x1000 + i);
		assert_int_equal(add_text(text), 0);
	}
	assert_int_equal(add_document("deployment"), -ENOSPC);
	assert_int_equal(pods_count(&pods), PODS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deployment),
		TEST(jobs_by_hand_and_of_a_cronjob),
		TEST(static_pods_go_by_their_config_hash),
		TEST(only_static_pods_have_a_config_hash),
		TEST(a_mirror_pod_made_anew_keeps_the_name),
		TEST(init_and_ephemeral_containers),
		TEST(a_restart_has_another_id),
		TEST(a_pod_made_anew_is_another),
		TEST(other_runtimes),
		TEST(a_pod_that_begins),
		TEST(a_pod_without_a_controller),
		TEST(nulls_are_nothing),
		TEST(odd_values_are_taken_as_they_are_or_not_at_all),
		TEST(long_values_are_cut_between_characters),
		TEST(what_is_no_pod_is_refused),
		TEST(of_two_with_one_uid_the_first_stays),
		TEST(an_unchanged_pod_is_not_parsed_again),
		TEST(what_is_listed_no_more_goes_later),
		TEST(ten_thousand_pods_leave_nothing_behind),
		TEST(pods_have_addresses),
		TEST(an_address_of_more_than_one_is_nobodys),
		TEST(an_address_goes_to_the_next_pod),
		TEST(a_pod_that_has_ended_has_no_address),
		TEST(there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
