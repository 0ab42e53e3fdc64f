/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A mount point that shows a part of the hierarchy. Only the root of the hierarchy has no
 * cgroup.events: so a directory with that file stands for a part.
 */
#include "cgroup/view.h"
#include "metrics/members.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define UID  "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define ID   "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID2  "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"
#define NODE "/docker/" ID2
#define POD  "/kubelet/kubepods/burstable/pod" UID

static struct members members;
static char mount[128];

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	snprintf(mount, sizeof(mount), "%s/cg", tree_root);
	return mkdir(mount, 0755);
}

static int teardown(void **state)
{
	(void)state;
	members_free(&members);
	return tree_remove("");
}

static void open_members(bool whole)
{
	if (!whole)
		tree_put("cg/cgroup.events", "populated 1\n");
	members_open(&members, mount, "/proc");
	members.registry.claims.roots.mount = mount;
}

/* Makes a cgroup in the part. Returns its id. */
static uint64_t make(const char *path)
{
	char file[180], full[320];
	struct stat st;

	snprintf(file, sizeof(file), "cg%.150s/cgroup.procs", path);
	tree_put(file, "");
	snprintf(full, sizeof(full), "%s%s", mount, path);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

/* The event of a cgroup, whose path begins at the root of the hierarchy. */
static const struct member *tell(uint64_t id, const char *path)
{
	struct cgroup_event event = {.kind = CGROUP_MADE, .id = id, .time_ns = 1000};
	const struct member *member;

	snprintf(event.path, sizeof(event.path), "%s", path);
	event.path_len = (uint32_t)strlen(path);
	member = members_take_event(&members, &event);
	assert_non_null(member);
	return member;
}

/* A node of kind, seen from a pod in it. Its cgroups are the same for a walk and for events. */
static void a_node_in_a_container(void **state)
{
	const struct member *member;
	uint64_t pod, first;

	(void)state;
	open_members(false);
	pod = make(POD);
	make(POD "/" ID);
	members_walk(&members, NS_PER_S);
	assert_string_equal(members_find(&members, pod)->cgroup.path, POD);

	first = make("/first.service");
	assert_string_equal(tell(first, NODE "/first.service")->cgroup.path, "/first.service");
	assert_string_equal(members.view.part, NODE);
	member = tell(make(POD "/" ID2), NODE POD "/" ID2);
	assert_string_equal(member->cgroup.path, POD "/" ID2);
	assert_string_equal(member->cgroup.name.pod_uid, UID);
	assert_string_equal(member->cgroup.name.container_id, ID2);
	assert_int_equal(members.registry.claims.refused, 0);
	/* It is gone already when its event is read. */
	member = tell(1ULL << 50, NODE POD "/" ID "/short");
	assert_string_equal(member->cgroup.path, POD "/" ID "/short");
	assert_string_equal(member->cgroup.name.container_id, ID);
	/* The beginning of a name is not the name. */
	assert_string_equal(tell(2ULL << 50, NODE "0/x")->cgroup.path, NODE "0/x");
}

/* What lies beside the part stays as it is. A walk cannot see it, so it does not end it. */
static void what_is_not_shown(void **state)
{
	const struct member *outside;

	(void)state;
	open_members(false);
	outside = tell(1ULL << 50, "/system.slice/ssh.service");
	assert_null(members.view.part);
	assert_string_equal(outside->cgroup.name.unit, "ssh.service");
	tell(make("/a.service"), NODE "/a.service");
	/* The same path in the part is another cgroup. */
	assert_int_not_equal(make("/system.slice/ssh.service"), 1ULL << 50);
	members_walk(&members, NS_PER_S);
	assert_int_equal(outside->cgroup.removed_ns, 0);
	assert_string_equal(tell(2ULL << 50, NODE "/b.service")->cgroup.path, "/b.service");
	members_walk(&members, 2 * NS_PER_S);
	assert_int_equal(members_find(&members, 2ULL << 50)->cgroup.removed_ns, 2 * NS_PER_S);
}

static void the_whole_hierarchy(void **state)
{
	(void)state;
	open_members(true);
	assert_string_equal(tell(make("/docker"), "/docker")->cgroup.path, "/docker");
	assert_string_equal(tell(make("/b.service"), "/docker/b.service")->cgroup.path,
			    "/docker/b.service");
	assert_null(members.view.part);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_node_in_a_container),
		TEST(what_is_not_shown),
		TEST(the_whole_hierarchy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
