/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One info for each name, of what has series of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/info.h"

#define UID_A "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define UID_B "00000000-1111-2222-3333-444444444444"
#define ID_A  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID_B  "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"

static struct registry registry;
static struct owners owners;
static struct kube_names *names;
static struct infos infos;

static int setup(void **state)
{
	const struct kube_options options = {.source = KUBE_NONE};

	(void)state;
	registry = (struct registry){0};
	owners = (struct owners){0};
	infos = (struct infos){0};
	return kube_names_open(&options, &names);
}

static int teardown(void **state)
{
	(void)state;
	infos_free(&infos);
	registry_free(&registry);
	owners_free(&owners);
	kube_names_close(names);
	return 0;
}

/* A cgroup whose owner has these labels. */
static struct owner *add(uint64_t id, const char *path, const char *namespace, const char *pod,
			 const char *container)
{
	struct cgroup *cgroup = registry_add(&registry, id, path, 0);
	struct labels labels;

	memset(&labels, 0, sizeof(labels));
	(void)snprintf(labels.name_space, sizeof(labels.name_space), "%s", namespace);
	(void)snprintf(labels.pod, sizeof(labels.pod), "%s", pod);
	(void)snprintf(labels.container, sizeof(labels.container), "%s", container);
	cgroup->owner = owners_get(&owners, &labels);
	return cgroup->owner;
}

static void read_infos(size_t pods, size_t containers)
{
	assert_int_equal(infos_read(&registry, names, &infos), 0);
	assert_int_equal(infos.pod_count, pods);
	assert_int_equal(infos.container_count, containers);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	registry_add(&registry, 1, "/", 0);
	registry_add(&registry, 2, "/kubepods/pod" UID_A "/" ID_A, 0); /* never counted */
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_nothing),
		TEST(cgroups_of_one_container_have_one_info),
		TEST(of_one_name_the_last_counts),
		TEST(what_has_no_name_or_no_series_has_no_info),
		TEST(outside_of_kubernetes_a_container_is_no_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
