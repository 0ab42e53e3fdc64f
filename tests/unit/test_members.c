/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How cgroups become known. Directories stand for cgroups. */
#include "metrics/members.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define UID "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define POD "/kubepods/pod" UID
#define ID  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"

static struct members members;
static char cgroupfs[128];

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	snprintf(cgroupfs, sizeof(cgroupfs), "%s/cgroup", tree_root);
	tree_put("cgroup/cgroup.procs", "");
	members_open(&members, cgroupfs, "/proc");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	members_free(&members);
	return tree_remove("");
}

/* Makes a directory for a cgroup. Returns its id. */
static uint64_t make(const char *name)
{
	char file[64], path[256];
	struct stat st;

	snprintf(file, sizeof(file), "cgroup/%s/cgroup.procs", name);
	tree_put(file, "");
	snprintf(path, sizeof(path), "%s/%s", cgroupfs, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

static struct member *tell_made(uint64_t id, const char *path, size_t path_len)
{
	struct cgroup_event event = {
		.kind = CGROUP_MADE, .id = id, .time_ns = 1000, .path_len = (uint32_t)path_len};

	snprintf(event.path, sizeof(event.path), "%s", path);
	return members_take_event(&members, &event);
}

static void tell_removed(uint64_t id, uint64_t time_ns)
{
	const struct cgroup_event event = {.kind = CGROUP_REMOVED, .id = id, .time_ns = time_ns};

	assert_null(members_take_event(&members, &event));
}

static void events_tell_of_the_beginning_and_the_end(void **state)
{
	struct member *made = tell_made(7, "/ssh.service", 12);

	(void)state;
	assert_non_null(made);
	assert_ptr_equal(members_find(&members, 7), made);
	assert_string_equal(made->cgroup.path, "/ssh.service");
	/* Two clocks are read one after the other. */
	assert_in_range(made->cgroup.born_ns, 1000, clock_suspended_ns() + NS_PER_S / 2);
	assert_null(made->owner);
	tell_removed(8, 1); /* of one that is not known */
	tell_removed(7, 2000);
	tell_removed(7, 3000);
	assert_int_equal(made->cgroup.removed_ns, 2000);
	assert_ptr_equal(members_first(&members), made);
	assert_null(members_next(made));
}

static void what_is_known_in_part_is_walked_for(void **state)
{
	uint64_t id = make("long"), now_ns = 5 * NS_PER_S;

	(void)state;
	members_walk(&members, now_ns);
	members_remove(&members, members_find(&members, id));
	assert_null(tell_made(id, "/lo", CGROUP_PATH_MAX - 1)); /* it may have been cut */
	assert_null(tell_made(id, "", 0));
	members_walk_if_due(&members, 0, now_ns + NS_PER_S - 1);
	assert_null(members_find(&members, id));
	members_walk_if_due(&members, 0, now_ns + NS_PER_S);
	assert_string_equal(members_find(&members, id)->cgroup.path, "/long");
}

/* The name of a container stands so far up in a path that it is there even if the path is cut. */
static void a_cut_path_names_the_container(void **state)
{
	char path[CGROUP_PATH_MAX] = POD "/" ID "/";
	size_t len = strlen(path);
	const struct member *made;

	(void)state;
	memset(path + len, 'x', 250);
	path[len + 250] = '/';
	memset(path + len + 251, 'y', sizeof(path) - len - 252);
	made = tell_made(7, path, CGROUP_PATH_MAX - 1);
	assert_non_null(made);
	assert_string_equal(made->cgroup.name.pod_uid, UID);
	assert_string_equal(made->cgroup.name.container_id, ID);
	assert_true(made->cgroup.below);
	assert_int_equal(strlen(made->cgroup.path), len + 250);
	members_walk_if_due(&members, 0, NS_PER_S);
	assert_int_equal(members.registry.walk, 0); /* none is needed for it */
}

/* The number of walks, of which each finds all. */
static unsigned int walk_if_due(uint64_t lost, uint64_t now_ns)
{
	members_walk_if_due(&members, lost, now_ns);
	return members.registry.walk;
}

static void what_was_lost_is_walked_for(void **state)
{
	(void)state;
	members_walk(&members, NS_PER_S);
	assert_int_equal(walk_if_due(3, 2 * NS_PER_S - 1), 1);
	assert_int_equal(walk_if_due(3, 2 * NS_PER_S), 2);
	assert_int_equal(walk_if_due(3, 200 * NS_PER_S), 2); /* none was lost since */
	assert_int_equal(walk_if_due(4, 201 * NS_PER_S), 3);
	assert_int_equal(walk_if_due(4, 500 * NS_PER_S), 3);
	assert_int_equal(walk_if_due(4, 501 * NS_PER_S), 4);
}

static void what_no_walk_finds_is_unknown(void **state)
{
	uint64_t id = make("late");
	struct member *gone;

	(void)state;
	members_walk(&members, NS_PER_S);
	assert_ptr_equal(members_look_for(&members, id, NS_PER_S), members_find(&members, id));
	assert_null(members_look_for(&members, 1234567890, 2 * NS_PER_S - 1));
	assert_int_equal(members.unnamed, 0);
	gone = members_look_for(&members, 1234567890, 2 * NS_PER_S);
	assert_non_null(gone);
	assert_string_equal(gone->cgroup.name.unit, "unknown");
	assert_int_equal(gone->cgroup.removed_ns, 2 * NS_PER_S);
	assert_int_equal(members.unnamed, 1);
	id = make("later");
	assert_string_equal(members_look_for(&members, id, 3 * NS_PER_S)->cgroup.path, "/later");
	assert_int_equal(members.unnamed, 1);
}

/* A pod has its containers, a container its cgroups; the pod stays as long as one of them. */
static void cgroups_are_found_by_pod_and_container(void **state)
{
	struct member *inner, *outer, *pod, *unit;
	struct kin *container;

	(void)state;
	outer = members_add(&members, 1, POD "/" ID, 0);
	inner = members_add(&members, 2, POD "/" ID "/nested", 0);
	pod = members_add(&members, 3, POD, 0);
	unit = members_add(&members, 4, "/ssh.service", 0);
	container = members_find_kin(&members, UID, ID);
	assert_ptr_equal(outer->kin, container);
	assert_ptr_equal(inner->kin, container);
	assert_ptr_equal(container->members, outer);
	assert_int_equal(container->count, 2);
	assert_ptr_equal(container->pod, pod->kin);
	assert_ptr_equal(container->pod, members_find_kin(&members, UID, ""));
	assert_ptr_equal(container->pod->containers, container);
	assert_null(unit->kin);
	assert_null(members_find_kin(&members, "", ID));

	members_remove(&members, pod);
	assert_non_null(members_find_kin(&members, UID, ""));
	members_remove(&members, outer);
	assert_ptr_equal(container->members, inner);
	members_remove(&members, inner);
	assert_null(members.kins);
	assert_non_null(members_add(&members, 5, "/docker/" ID, 0)->kin);
	assert_null(members_find_kin(&members, "", ID)->pod);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_tell_of_the_beginning_and_the_end),
		TEST(what_is_known_in_part_is_walked_for),
		TEST(a_cut_path_names_the_container),
		TEST(what_was_lost_is_walked_for),
		TEST(what_no_walk_finds_is_unknown),
		TEST(cgroups_are_found_by_pod_and_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
