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

/* One walk decides for all; the next one waits for a second. */
static void what_no_walk_finds_is_unknown(void **state)
{
	uint64_t ids[] = {make("late"), 1ULL << 60, (1ULL << 60) + 1}, other = 1ULL << 61;
	struct member *gone;
	unsigned int walks;

	(void)state;
	members_walk(&members, NS_PER_S);
	walks = members.registry.walk;
	members_remove(&members, members_find(&members, ids[0]));
	assert_false(members_decide(&members, ids, 3, 2 * NS_PER_S - 1));
	assert_int_equal(members.unnamed, 0);
	assert_true(members_decide(&members, ids, 3, 2 * NS_PER_S));
	assert_int_equal(members.registry.walk, walks + 1);
	assert_string_equal(members_find(&members, ids[0])->cgroup.path, "/late");
	assert_int_equal(members.unnamed, 2);
	gone = members_find(&members, ids[1]);
	assert_string_equal(gone->cgroup.name.unit, "unknown");
	assert_int_equal(gone->cgroup.removed_ns, 2 * NS_PER_S);
	assert_ptr_equal(members.removed, gone);
	assert_false(members_decide(&members, &other, 1, 3 * NS_PER_S - 1));
	assert_true(members_decide(&members, &other, 1, 3 * NS_PER_S));
	assert_non_null(members_find(&members, other));
}

/* Nobody waits for a walk through thousands of cgroups. */
static void a_long_walk_goes_in_steps(void **state)
{
	uint64_t first, last = 0, gone = 1ULL << 60, now_ns = NS_PER_S;
	unsigned int steps = 0;
	char name[16];
	int i;

	(void)state;
	first = make("a");
	for (i = 0; i < 2500; i++) {
		snprintf(name, sizeof(name), "b/%d", i);
		last = make(name);
	}
	assert_false(members_decide(&members, &gone, 1, now_ns));
	assert_null(members_find(&members, gone));
	/* What was found may be forgotten before the next step. */
	if (members_find(&members, first))
		members_remove(&members, members_find(&members, first));
	for (; members.walk; steps++) {
		now_ns = members_due_ns(&members);
		members_walk_on(&members, now_ns - 1);
		assert_non_null(members.walk);
		members_walk_on(&members, now_ns);
	}
	assert_in_range(steps, 2, 3);
	assert_int_equal(members_due_ns(&members), UINT64_MAX);
	assert_non_null(members_find(&members, last));
	assert_string_equal(members_find(&members, gone)->cgroup.name.unit, "unknown");
}

#define MAX 4000

__attribute__((format(printf, 1, 2))) static char *format_path(const char *format, ...)
{
	static char path[256];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return path;
}

/* A stranger's empty cgroups take no place from a pod. */
static void the_registry_is_bounded(void **state)
{
	unsigned int i;
	uint64_t wanted;

	(void)state;
	members.max = MAX;
	for (i = 1; i <= 2 * MAX; i++)
		members_add(&members, i, format_path("/stranger/x%u", i), 0);
	assert_int_equal(members_count(&members), MAX / 4 * 3);
	assert_int_equal(members.refused, 2 * MAX - MAX / 4 * 3);
	for (i = 1; i <= KIN_MAX; i++) /* nested ones of one container are no pod's first */
		members_add(&members, 10000 + i, format_path(POD "/" ID "/x%u", i), 0);
	assert_int_equal(members_find_kin(&members, UID, ID)->count, 1);
	assert_int_equal(members_count(&members), MAX / 4 * 3 + 1);
	for (i = 1; i <= MAX; i++)
		members_add(&members, 20000 + i,
			    format_path("/kubepods/pod%08x-1111-2222-3333-444444444444", i), 0);
	assert_int_equal(members_count(&members), MAX);

	/* What something was counted for always finds a place. */
	wanted = make("busy");
	assert_true(members_decide(&members, &wanted, 1, NS_PER_S));
	assert_string_equal(members_find(&members, wanted)->cgroup.path, "/busy");
	assert_int_equal(members_count(&members), MAX + 1);
}

/* Anyone can make up the id of a container that is in no pod. */
static void made_up_containers_leave_room_for_pods(void **state)
{
	unsigned int i;

	(void)state;
	members.max = MAX;
	for (i = 1; i <= MAX; i++)
		members_add(&members, i, format_path("/stranger/%064x", i), 0);
	assert_int_equal(members_count(&members), MAX / 4 * 3);
	assert_string_equal(members_first(&members)->cgroup.name.container_id,
			    "0000000000000000000000000000000000000000000000000000000000000001");
	assert_non_null(members_add(&members, 2 * MAX, POD "/" ID, 0));
}

static void nested_cgroups_of_a_container_are_bounded(void **state)
{
	unsigned int i;

	(void)state;
	members.max = MAX;
	for (i = 1; i <= MAX; i++)
		members_add(&members, i, format_path(POD "/" ID "/x%u", i), 0);
	assert_int_equal(members_count(&members), KIN_MAX);
	assert_int_equal(members.refused, MAX - KIN_MAX);
	assert_false(members.full); /* more places would not help */
	for (i = 1; !members.full && i <= MAX; i++)
		members_add(&members, MAX + i, format_path("/x%u.service", i), 0);
	assert_int_equal(members_count(&members), MAX / 4 * 3);
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
		TEST(a_long_walk_goes_in_steps),
		TEST(the_registry_is_bounded),
		TEST(made_up_containers_leave_room_for_pods),
		TEST(nested_cgroups_of_a_container_are_bounded),
		TEST(cgroups_are_found_by_pod_and_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
