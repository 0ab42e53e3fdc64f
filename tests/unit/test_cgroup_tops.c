/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup/tops.h"

#define ID  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define POD "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555"

static struct registry registry;
static char found[2048]; /* the paths, with a newline each */

static int setup(void **state)
{
	(void)state;
	registry_open(&registry, sizeof(struct cgroup));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_free(&registry);
	return 0;
}

static void add(const char *path)
{
	static uint64_t id = 100;

	assert_non_null(registry_add(&registry, id++, path, 0));
}

static void find(void)
{
	struct cgroup **tops;
	size_t i, count, len = 0;

	assert_int_equal(cgroup_tops_find(&registry, &tops, &count), 0);
	found[0] = '\0';
	for (i = 0; i < count; i++)
		len += (size_t)snprintf(found + len, sizeof(found) - len, "%s\n", tops[i]->path);
	free(tops);
}

static void test_none(void **state)
{
	(void)state;
	find();
	assert_string_equal(found, "");
	add("/");
	find();
	assert_string_equal(found, "");
}

/* Not the pod's own cgroup and those above it, which count the containers again. */
static void test_pod(void **state)
{
	(void)state;
	add(POD "/" ID "2");
	add("/");
	add("/kubepods/burstable");
	add(POD "/" ID "1");
	add("/kubepods");
	add(POD);
	find();
	assert_string_equal(found, POD "/" ID "1\n" POD "/" ID "2\n");
}

static void test_no_pod(void **state)
{
	(void)state;
	add("/kubepods/besteffort");
	add("/kubepods");
	find();
	assert_string_equal(found, "");
}

/* systemd in a container, and CRI-O's "container". */
static void test_nested(void **state)
{
	(void)state;
	add(POD "/" ID "1/init.scope");
	add(POD "/" ID "1/system.slice/web.service");
	add(POD "/" ID "1");
	find();
	assert_string_equal(found, POD "/" ID "1\n");
}

/* The container's own cgroup was never seen: those of its nested cgroups that are uppermost. */
static void test_unseen(void **state)
{
	(void)state;
	add(POD "/" ID "1/a");
	add(POD "/" ID "1/a/b");
	add(POD "/" ID "1/c");
	find();
	assert_string_equal(found, POD "/" ID "1/a\n" POD "/" ID "1/c\n");
}

static void test_systemd(void **state)
{
	(void)state;
	add("/");
	add("/init.scope");
	add("/system.slice");
	add("/system.slice/k3s.service");
	add("/system.slice/system-getty.slice");
	add("/system.slice/system-getty.slice/getty@tty1.service");
	add("/user.slice/user-1000.slice/user@1000.service");
	add("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service");
	add("/user.slice/user-1000.slice/session-3.scope");
	add("/kubepods.slice/kubepods-burstable.slice");
	find();
	assert_string_equal(found, "/init.scope\n"
				   "/system.slice/k3s.service\n"
				   "/system.slice/system-getty.slice/getty@tty1.service\n"
				   "/user.slice/user-1000.slice/session-3.scope\n"
				   "/user.slice/user-1000.slice/user@1000.service\n");
}

/* Paths of which one is the beginning of the other, but not above it. */
static void test_prefixes(void **state)
{
	(void)state;
	add("/a");
	add("/a-b");
	add("/a/a");
	add("/a b");
	find();
	assert_string_equal(found, "/a/a\n/a b\n/a-b\n");
}

/* A group counts its members. It is not read even when they are gone. */
static void test_groups(void **state)
{
	struct cgroup *cgroup;

	(void)state;
	add("/podruntime/etcd");
	add("/podruntime/kubelet/x");
	add("/podruntime");
	add("/docker/buildkit");
	add("/docker");
	add("/batch/job-1");
	add("/batch");
	find();
	assert_string_equal(found, "/batch/job-1\n/podruntime/etcd\n/podruntime/kubelet/x\n");
	for (cgroup = registry.table; cgroup; cgroup = cgroup->hh.next)
		if (strcmp(cgroup->path, "/batch/job-1") == 0)
			cgroup->removed_ns = 5;
	find();
	assert_string_equal(found, "/podruntime/etcd\n/podruntime/kubelet/x\n");
}

static void test_removed(void **state)
{
	(void)state;
	add(POD "/" ID "1");
	registry.table->removed_ns = 5;
	find();
	assert_string_equal(found, "");
}

/* A cgroup whose own path is not known goes by the one above it, whose files count it, too. */
static void test_below(void **state)
{
	(void)state;
	add("/a.service");
	assert_non_null(registry_add_below(&registry, 5, "/a.service", 0));
	assert_non_null(registry_add_below(&registry, 6, "/b.service", 0));
	find();
	assert_string_equal(found, "/a.service\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none),   TEST(test_pod),     TEST(test_no_pod),   TEST(test_nested),
		TEST(test_unseen), TEST(test_systemd), TEST(test_prefixes), TEST(test_removed),
		TEST(test_groups), TEST(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
