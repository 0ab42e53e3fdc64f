/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One info for each name, of what has series of its own. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kubelet_server.h"
#include "metrics/info.h"
#include "metrics/naming.h"
#include "metrics/workloads.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define UID_A "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define UID_B "00000000-1111-2222-3333-444444444444"
#define ID_A  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID_B  "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"

static struct members members;
static struct owners owners;
static struct kube_names *names;
static struct infos infos;
static uint64_t now_ns; /* CLOCK_MONOTONIC of the next look */

static int setup(void **state)
{
	const struct kube_options options = {.source = KUBE_NONE};

	(void)state;
	members_open(&members, "/sys/fs/cgroup", "/proc");
	owners = (struct owners){0};
	infos = (struct infos){0};
	now_ns = clock_monotonic_ns();
	return kube_names_open(&options, &names);
}

static int teardown(void **state)
{
	(void)state;
	infos_free(&infos);
	members_free(&members);
	owners_free(&owners);
	kube_names_close(names);
	return 0;
}

/* A cgroup whose owner has these labels. */
static struct owner *add(uint64_t id, const char *path, const char *namespace, const char *pod,
			 const char *container)
{
	struct member *member = members_add(&members, id, path, 0);
	struct labels labels;

	memset(&labels, 0, sizeof(labels));
	(void)snprintf(labels.name_space, sizeof(labels.name_space), "%s", namespace);
	(void)snprintf(labels.pod, sizeof(labels.pod), "%s", pod);
	(void)snprintf(labels.container, sizeof(labels.container), "%s", container);
	member->owner = owners_get(&owners, &labels);
	return member->owner;
}

static void read_infos(size_t pods, size_t containers)
{
	infos_free(&infos);
	infos_update(&members, names, now_ns);
	assert_int_equal(infos_read(&members, names, &infos), 0);
	assert_int_equal(infos.pod_count, pods);
	assert_int_equal(infos.container_count, containers);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	members_add(&members, 1, "/", 0);
	members_add(&members, 2, "/kubepods/pod" UID_A "/" ID_A, 0); /* never counted */
	read_infos(0, 0);
}

static void cgroups_of_one_container_have_one_info(void **state)
{
	(void)state;
	add(1, "/kubepods/pod" UID_A, "shop", "web-0", "");
	add(2, "/kubepods/pod" UID_A "/" ID_A, "shop", "web-0", "web");
	add(3, "/kubepods/pod" UID_A "/" ID_A "/nested", "shop", "web-0", "web");
	read_infos(1, 1);
	assert_string_equal(infos.pods[0].labels->name_space, "shop");
	assert_string_equal(infos.pods[0].cgroup->pod_uid, UID_A);
	assert_int_equal(infos.pods[0].cgroup->qos, QOS_GUARANTEED);
	assert_null(infos.pods[0].pod);
	assert_string_equal(infos.containers[0].id, ID_A);
	assert_string_equal(infos.containers[0].image, "");
}

static void of_one_name_the_last_counts(void **state)
{
	(void)state;
	add(9, "/kubepods/burstable/pod" UID_B "/" ID_B, "shop", "web-0", "web");
	add(2, "/kubepods/pod" UID_A "/" ID_A, "shop", "web-0", "web");
	add(3, "/kubepods/pod" UID_A "/" ID_A "/x", "shop", "web-0", "web");
	read_infos(1, 1);
	assert_string_equal(infos.pods[0].cgroup->pod_uid, UID_B);
	assert_string_equal(infos.containers[0].id, ID_B);
}

static void what_has_no_name_or_no_series_has_no_info(void **state)
{
	struct owner *sandbox, *summed;

	(void)state;
	add(1, "/kubepods/pod" UID_A "/" ID_A, "", UID_A, "3f4b1c2d5e6f");
	sandbox = add(2, "/kubepods/pod" UID_B "/" ID_A, "shop", "web-0", "POD");
	owners_hide(&owners, sandbox);
	summed = add(3, "/kubepods/pod" UID_B "/" ID_B, "shop", "web-1", "web");
	summed->summed = true;
	read_infos(1, 0);
	assert_string_equal(infos.pods[0].labels->pod, "web-0");
	summed->summed = false;
}

static void outside_of_kubernetes_a_container_is_no_pod(void **state)
{
	(void)state;
	add(1, "/docker/" ID_A, "", "", "home-assistant");
	read_infos(0, 1);
	assert_string_equal(infos.containers[0].labels->container, "home-assistant");
	assert_string_equal(infos.containers[0].id, ID_A);
}

/* ---------------------------------------------------------------- with a kubelet */

#define LISTED	  "10000000-0000-4000-8000-000000000001" /* deployment.json */
#define LISTED_ID ID("0101")
#define ID(end)	  "000000000000000000000000000000000000000000000000000000000000" end

static int setup_kubelet(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (setup(state) || tree_make())
		return -1;
	kube_names_close(names);
	server_prepare();
	server_start();
	const struct kube_options options = {.source = KUBE_KUBELET, .kubelet = server_options()};

	return kube_names_open(&options, &names);
}

static int teardown_kubelet(void **state)
{
	teardown(state);
	server_stop();
	return tree_remove("");
}

/* Waits for two more good answers: the first may have been begun before. */
static void ask(void)
{
	const struct kubelet_status *status = kube_names_kubelet(names);
	struct pollfd fd = {.fd = kube_names_fd(names), .events = POLLIN};
	int answers = 0, i;

	for (i = 0; i < PATIENCE_MS / 10 && answers < 2; i++) {
		uint64_t before_ns = status->last_success_ns;

		poll(&fd, 1, 10);
		kube_names_run(names);
		answers += status->last_success_ns > before_ns;
	}
	assert_int_equal(answers, 2);
}

/* An info is never exported in part first and whole later. */
static void an_info_waits_for_the_kubelet(void **state)
{
	(void)state;
	add(1, "/kubepods/pod" LISTED, "shop", "web-7d4b9c6f5-x2x8k", "");
	add(2, "/kubepods/pod" LISTED "/" LISTED_ID, "shop", "web-7d4b9c6f5-x2x8k", "web");
	read_infos(0, 0);
	server_put_document("deployment");
	ask();
	read_infos(1, 1);
	assert_string_equal(infos.pods[0].pod->node, "pi-1");
	assert_true(infos.containers[0].image[0]);
}

/* The kubelet lists a pod before its container's id. */
static void a_container_waits_longer(void **state)
{
	(void)state;
	server_put_document("deployment");
	ask();
	add(2, "/kubepods/pod" LISTED "/" ID_A, "shop", "web-7d4b9c6f5-x2x8k", "web");
	read_infos(1, 0);
	now_ns = members_find(&members, 2)->cgroup.seen_ns + NAMING_WAIT_NS;
	read_infos(1, 0);
	now_ns++;
	read_infos(1, 1);
	assert_string_equal(infos.containers[0].image, "");
}

static void in_the_end_what_is_known_is_told(void **state)
{
	(void)state;
	add(1, "/kubepods/pod" UID_A "/" ID_A, "shop", "web-0", "web");
	now_ns = members_find(&members, 1)->cgroup.seen_ns + NAMING_WAIT_NS;
	read_infos(0, 0);
	now_ns++;
	read_infos(1, 1);
	assert_null(infos.pods[0].pod);
}

/* An older pod of the same name has its info until all is known of the new one. */
static void the_older_one_stays_until_then(void **state)
{
	(void)state;
	server_put_document("deployment");
	ask();
	add(1, "/kubepods/pod" LISTED "/" LISTED_ID, "shop", "web-0", "web");
	read_infos(1, 1);
	add(2, "/kubepods/pod" UID_A "/" ID_A, "shop", "web-0", "web");
	read_infos(1, 1);
	assert_string_equal(infos.pods[0].cgroup->pod_uid, LISTED);
	assert_string_equal(infos.containers[0].id, LISTED_ID);
	now_ns = members_find(&members, 2)->cgroup.seen_ns + NAMING_WAIT_NS + 1;
	read_infos(1, 1);
	assert_string_equal(infos.pods[0].cgroup->pod_uid, UID_A);
	assert_string_equal(infos.containers[0].id, ID_A);
}

/* If the kubelet has forgotten a pod, its info is not exported in part. */
static void what_was_whole_is_never_a_part(void **state)
{
	(void)state;
	server_put_document("deployment");
	ask();
	add(1, "/kubepods/pod" LISTED "/" LISTED_ID, "shop", "web-0", "web");
	read_infos(1, 1);
	assert_int_equal(tree_remove("pods/deployment.json"), 0);
	ask();
	now_ns += NAMING_WAIT_NS + 1;
	read_infos(0, 0);
}

/* Its container's id, and whether it has series, make no difference. */
static void an_owner_has_the_workload_of_its_pod(void **state)
{
	struct owner *web, *other, *unit;
	const struct workload *workload;
	struct workloads workloads;

	(void)state;
	server_put_document("deployment");
	ask();
	web = add(1, "/kubepods/pod" LISTED "/" ID_A, "shop", "web-7d4b9c6f5-x2x8k", "web");
	web->summed = true;
	other = add(2, "/kubepods/pod" UID_A "/" ID_B, "shop", "web-7d4b9c6f5-z9z2q", "web");
	unit = add(3, "/system.slice/ssh.service", "", "", "");
	members_add(&members, 4, "/kubepods/pod" LISTED "/" ID_B, 0); /* never counted */
	assert_int_equal(workloads_read(&members, names, &workloads), 0);
	workload = workloads_find(&workloads, web);
	assert_non_null(workload);
	assert_string_equal(workload->kind, "Deployment");
	assert_string_equal(workload->name, "web");
	assert_null(workloads_find(&workloads, other));
	assert_null(workloads_find(&workloads, unit));
	workloads_free(&workloads);
	/* The new pod with the same name decides. */
	add(5, "/kubepods/pod" LISTED "/" LISTED_ID, "shop", "web-7d4b9c6f5-z9z2q", "web");
	assert_int_equal(workloads_read(&members, names, &workloads), 0);
	assert_ptr_equal(workloads_find(&workloads, other), workloads_find(&workloads, web));
	workloads_free(&workloads);
}

/* Log directories tell no workload. */
static void without_a_kubelet_there_are_no_workloads(void **state)
{
	struct owner *web = add(1, "/kubepods/pod" UID_A "/" ID_A, "shop", "web-0", "web");
	struct workloads workloads;

	(void)state;
	assert_int_equal(workloads_read(&members, names, &workloads), 0);
	assert_int_equal(workloads.count, 0);
	assert_null(workloads_find(&workloads, web));
	workloads_free(&workloads);
}

#define TEST_KUBELET(name) cmocka_unit_test_setup_teardown(name, setup_kubelet, teardown_kubelet)
#define TEST(name)	   cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_nothing),
		TEST(cgroups_of_one_container_have_one_info),
		TEST(of_one_name_the_last_counts),
		TEST(what_has_no_name_or_no_series_has_no_info),
		TEST(outside_of_kubernetes_a_container_is_no_pod),
		TEST_KUBELET(an_info_waits_for_the_kubelet),
		TEST_KUBELET(a_container_waits_longer),
		TEST_KUBELET(in_the_end_what_is_known_is_told),
		TEST_KUBELET(the_older_one_stays_until_then),
		TEST_KUBELET(what_was_whole_is_never_a_part),
		TEST_KUBELET(an_owner_has_the_workload_of_its_pod),
		TEST(without_a_kubelet_there_are_no_workloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
