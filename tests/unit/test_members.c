/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How cgroups become known, and get their owners. Directories stand for cgroups and for logs. */
#include "metrics/members.h"
#include "metrics/naming.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define UID  "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define POD  "/kubepods/pod" UID
#define ID   "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define LOGS "logs/shop_web-0_" UID

static struct members members;
static struct owners owners;
static struct naming naming;
static struct wall wall;
static char cgroupfs[128], log_dir[128];

static int setup(void **state)
{
	struct kube_options options = {.source = KUBE_LOGS, .log_dir = log_dir};

	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	snprintf(cgroupfs, sizeof(cgroupfs), "%s/cgroup", tree_root);
	snprintf(log_dir, sizeof(log_dir), "%s/logs", tree_root);
	tree_put("cgroup/cgroup.procs", "");
	tree_put("logs/none", "");
	members_open(&members, cgroupfs, "/proc");
	owners = (struct owners){0};
	wall_look(&wall);
	naming = (struct naming){.members = &members, .owners = &owners, .wall = &wall};
	return kube_names_open(&options, &naming.names);
}

static int teardown(void **state)
{
	(void)state;
	members_free(&members);
	owners_free(&owners);
	kube_names_close(naming.names);
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

static struct member *add(uint64_t id, const char *path)
{
	struct member *member = members_add(&members, id, path, 0);

	assert_non_null(member);
	naming_find(&naming, member);
	assert_non_null(member->owner);
	return member;
}

static void a_unit_has_its_name_at_once(void **state)
{
	const struct member *unit = add(1, "/system.slice/ssh.service");

	(void)state;
	assert_true(unit->named);
	assert_false(unit->owner->held);
	assert_string_equal(unit->owner->labels.unit, "ssh.service");
	assert_int_equal(unit->owner->cgroups, 1);
}

/* It is looked for again once a second, and for so long its owner is held back. */
static void a_pods_name_is_waited_for(void **state)
{
	const struct member *pod = add(1, POD);
	uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	naming_retry(&naming, now_ns);
	assert_false(pod->named);
	assert_true(pod->owner->held);
	assert_string_equal(pod->owner->labels.pod, UID);
	tree_put(LOGS "/web/0.log", "");
	naming_retry(&naming, now_ns + NS_PER_S - 1);
	assert_false(pod->named);
	naming_retry(&naming, now_ns + NS_PER_S);
	assert_true(pod->named);
	assert_false(pod->owner->held);
	assert_string_equal(pod->owner->labels.name_space, "shop");
	assert_string_equal(pod->owner->labels.pod, "web-0");
}

static void what_has_waited_too_long_is_shown_by_its_ids(void **state)
{
	const struct member *pod = add(1, POD);

	(void)state;
	naming_retry(&naming, pod->cgroup.seen_ns + NAMING_WAIT_NS);
	assert_true(pod->owner->held);
	naming_retry(&naming, pod->cgroup.seen_ns + NAMING_WAIT_NS + NS_PER_S);
	assert_false(pod->owner->held);
	assert_false(pod->named);
	assert_string_equal(pod->owner->labels.pod, UID);
}

/* A cgroup within a container's has its owner; all of them move when it gets its name. */
static void all_cgroups_of_a_container_have_one_owner(void **state)
{
	struct member *outer = add(1, POD "/" ID), *inner = add(2, POD "/" ID "/nested"), *last;
	const struct owner *by_ids = outer->owner;

	(void)state;
	assert_ptr_equal(inner->owner, by_ids);
	assert_int_equal(by_ids->cgroups, 2);
	tree_put(LOGS "/web/0.log", "");
	naming_find_again(
		&naming); /* the pod is told, its container not: there is no time of birth */
	assert_string_equal(outer->owner->labels.pod, "web-0");
	assert_string_equal(outer->owner->labels.container, "3f4b1c2d5e6f");
	assert_ptr_equal(inner->owner, outer->owner);
	outer->named = true;
	last = add(3, POD "/" ID "/more");
	assert_true(last->named);
	assert_ptr_equal(last->owner, outer->owner);
	assert_int_equal(outer->owner->cgroups, 3);

	naming_forget(&naming, outer);
	members_remove(&members, outer);
	naming_forget(&naming, inner);
	members_remove(&members, inner);
	assert_int_equal(HASH_COUNT(owners.table), 1);
	naming_forget(&naming, last);
	assert_null(last->owner);
	assert_null(owners.table);
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
		TEST(a_unit_has_its_name_at_once),
		TEST(a_pods_name_is_waited_for),
		TEST(what_has_waited_too_long_is_shown_by_its_ids),
		TEST(all_cgroups_of_a_container_have_one_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
