/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which paths are believed, and which of several has the claim to a pod. Directories stand for
 * cgroups: as in the cgroup file system, a directory belongs to who has made it.
 */
#include "cgroup/claims.h"
#include "cgroup/registry.h"
#include "caught_log.h"
#include "skip.h"
#include "tree.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"

#define UID    "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define UID_   "8a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9"
#define ID     "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID2    "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"
#define POD    "/kubepods/burstable/pod" UID
#define USER   "/user.slice/user-1000.slice/user@1000.service"
#define NODE   "/docker/" ID2
#define SHORT  "3f4b1c2d5e6f"
#define MINE   "/mine.slice/mine-a_b.slice"
#define NOBODY 65534

static struct registry registry;
static char mount[128];

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	snprintf(mount, sizeof(mount), "%s/cg", tree_root);
	registry_open(&registry, sizeof(struct cgroup));
	registry.claims.roots.mount = mount;
	return mkdir(mount, 0755);
}

static int teardown(void **state)
{
	bool left;

	(void)state;
	registry_free(&registry);
	left = registry.claims.table;
	return tree_remove("") || left ? -1 : 0;
}

static const char *full_path(const char *path)
{
	static char full[1024];

	snprintf(full, sizeof(full), "%s%s", mount, path);
	return full;
}

/* Makes a directory and those above it. Returns its id. */
static uint64_t make(const char *path)
{
	char full[1024], *slash;
	struct stat st;

	snprintf(full, sizeof(full), "%s", full_path(path));
	for (slash = full + strlen(mount) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	mkdir(full, 0755);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

/* From here on a path belongs to another user, as the part of the hierarchy that a user is given.
 */
static void give(const char *path)
{
	make(path);
	if (geteuid() != 0)
		skip_because("only root can give a directory away");
	assert_int_equal(chown(full_path(path), NOBODY, NOBODY), 0);
}

/* Moved away and not deleted: unlike a cgroup's id, an inode's number is given again. */
static void remove_cgroup(const char *path)
{
	char gone[80];

	snprintf(gone, sizeof(gone), "%s/gone", tree_root);
	assert_int_equal(rename(full_path(path), gone), 0);
}

/* Adds a cgroup that is there. */
static const struct cgroup_name *add(const char *path)
{
	const struct cgroup *cgroup = registry_add(&registry, make(path), path, 0);

	assert_non_null(cgroup);
	return &cgroup->name;
}

static void assert_pod(const struct cgroup_name *name, const char *id)
{
	assert_string_equal(name->pod_uid, UID);
	assert_string_equal(name->container_id, id);
}

static void assert_unit(const struct cgroup_name *name, const char *unit)
{
	assert_string_equal(name->pod_uid, "");
	assert_string_equal(name->unit, unit);
}

static void a_kubelets_own_places_are_believed(void **state)
{
	static const char *const paths[] = {
		"/kubepods/burstable/pod" UID "/" ID,
		"/kubepods/pod" UID "/" ID,
		"/kubelet/kubepods/pod" UID "/" ID,
		"/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope",
		"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/crio-" ID
		".scope",
		"/kubepods-pod" UID_ ".slice:cri-containerd:" ID,
	};
	const struct pod_roots none = {0};
	struct cgroup_name name;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(cgroup_path_parse(paths[i], &name), 0);
		if (trust_path(&none, paths[i], &name) != TRUST_KUBELET)
			fail_msg("%s is not believed", paths[i]);
	}
}

static void elsewhere_the_owners_decide(void **state)
{
	(void)state;
	assert_pod(add("/mine/kubepods/burstable/pod" UID "/" ID), ID);
	assert_int_equal(registry.claims.refused, 0);
	/* It is not there, so nobody knows whose it is. */
	assert_unit(
		&registry_add(&registry, 1, "/gone/kubepods/burstable/pod" UID "/" ID2, 0)->name,
		"gone/kubepods/burstable");
	assert_int_equal(registry.claims.refused, 1);
}

/* What a user makes below the part that it was given, and what is nested in that. */
static void a_users_tree_has_no_pods(void **state)
{
	(void)state;
	assert_pod(add(POD "/" ID), ID);
	give(USER);
	assert_unit(add(USER "/kubepods/burstable/pod" UID "/" ID), "user@1000.service");
	assert_unit(add(USER "/kubepods/burstable/pod" UID "/" ID "/x"), "user@1000.service");
	assert_unit(add(USER "/kubepods/burstable/pod" UID), "user@1000.service");
	assert_unit(add(USER "/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID2 ".scope"),
		    "user@1000.service");
	assert_unit(add(USER "/kubepods-pod" UID_ ".slice:crio:" ID2), "user@1000.service");
	assert_int_equal(registry.claims.refused, 5);
	/* Also if only a cgroup on the way belongs to another. */
	give("/mine");
	assert_unit(add("/mine/kubepods/pod" UID "/" ID2), "mine/kubepods");
}

static void it_is_told_again_after_a_minute(void **state)
{
	(void)state;
	give(USER);
	log_setup(LOG_WARN, LOG_LOGFMT);
	catch_log();
	add(USER "/kubepods/burstable/pod" UID "/" ID);
	add(USER "/kubepods/burstable/pod" UID "/" ID2);
	assert_int_equal(logged("not only root can make cgroups there"), 1);
	registry.claims.trust_told_ns -= 61 * NS_PER_S;
	add(USER "/kubepods/burstable/pod" UID);
	release_log();
	assert_int_equal(logged("not only root can make cgroups there"), 2);
}

static void others_may_not_write_above_a_pod(void **state)
{
	(void)state;
	make("/open/kubepods");
	assert_int_equal(chmod(full_path("/open"), 0775), 0);
	assert_unit(add("/open/kubepods/pod" UID "/" ID), "open/kubepods");
	assert_int_equal(chmod(full_path("/open"), 0755), 0);
	assert_pod(add("/open/kubepods/pod" UID "/" ID2), ID2);
}

static void a_given_root_is_believed(void **state)
{
	static const char *const given[] = {"/mine/a-b/", USER};
	static const struct pod_roots roots = {.given = given, .given_count = 2};

	(void)state;
	give("/mine/a-b");
	give(MINE);
	give(USER);
	assert_unit(add("/mine/a-b/kubepods/pod" UID "/" ID), "mine/a-b");
	registry.claims.roots.given = roots.given;
	registry.claims.roots.given_count = roots.given_count;
	assert_pod(add("/mine/a-b/kubepods/pod" UID), "");
	assert_pod(add("/mine/a-b/kubepods/pod" UID "/" ID2), ID2);
	assert_string_equal(
		add(MINE "/mine-a_b-kubepods.slice/mine-a_b-kubepods-podbbbbbbbb_4e5f_6071_8293_"
			 "a4b5c6d7e8f9.slice")
			->pod_uid,
		"bbbbbbbb-4e5f-6071-8293-a4b5c6d7e8f9");
	/* Below it, and not only somewhere in it. */
	assert_unit(add(USER "/x/kubepods/podcccccccc-4e5f-6071-8293-a4b5c6d7e8f9"),
		    "user@1000.service");
}

static void roots_are_paths(void **state)
{
	(void)state;
	assert_true(pod_root_valid("/"));
	assert_true(pod_root_valid("/mine/a.slice"));
	assert_false(pod_root_valid(""));
	assert_false(pod_root_valid("mine"));
	assert_false(pod_root_valid("/mine/../x"));
}

/* A container with root's rights can make any path in it. A node of kind does. */
static void a_pod_has_one_place(void **state)
{
	(void)state;
	assert_pod(add(NODE POD "/" ID), ID);
	assert_pod(add(NODE POD), "");
	assert_pod(add(NODE POD "/" ID "/nested"), ID);
	/* The same pod in the root of the hierarchy is believed more. */
	assert_pod(add(POD), "");
	assert_pod(add(POD "/" ID), ID);
	assert_unit(add(NODE POD "/" ID "/later"), "docker-aaaaaaaabbbb");
	assert_unit(add(NODE "/kubepods/pod" UID "/" ID), "docker-aaaaaaaabbbb");
	assert_unit(add(NODE POD "/" ID2), "docker-aaaaaaaabbbb");
	assert_unit(add("/docker/" ID POD "/" ID2), "docker-" SHORT);
	assert_pod(add(POD "/" ID2), ID2);
	assert_int_equal(registry.claims.refused, 4);
}

/* Even if the pod's own cgroup is gone, a place that is believed less does not get its counts. */
static void an_ended_pod_stays_where_it_was(void **state)
{
	struct cgroup *pod = registry_add(&registry, make(POD), POD, 0);

	(void)state;
	remove_cgroup(POD);
	assert_unit(add(NODE POD "/" ID), "docker-aaaaaaaabbbb");
	registry_remove(&registry, pod); /* forgotten */
	assert_pod(add(NODE POD "/" ID2), ID2);
}

static void the_container_of_another_is_no_container(void **state)
{
	struct cgroup *first;

	(void)state;
	give(USER);
	first = registry_add(&registry, make("/docker/" ID), "/docker/" ID, 0);
	assert_string_equal(first->name.unit, "docker-" SHORT);
	assert_string_equal(add("/docker/" ID "/x")->unit, "docker-" SHORT);
	assert_unit(add(USER "/docker-" ID ".scope"), "user@1000.service");
	assert_string_equal(add(USER "/docker-" ID2 ".scope")->unit, "docker-aaaaaaaabbbb");
	/* It was first, but it is believed less. */
	assert_string_equal(add("/system.slice/docker-" ID2 ".scope")->unit, "docker-aaaaaaaabbbb");
	assert_unit(add(USER "/docker-" ID2 ".scope/x"), "user@1000.service");
	/* docker starts it again, with its other driver. */
	remove_cgroup("/docker/" ID);
	assert_unit(add(USER "/x/docker-" ID ".scope"), "user@1000.service");
	assert_string_equal(add("/system.slice/docker-" ID ".scope")->unit, "docker-" SHORT);
}

/* The kubelet says systemd and the runtime cgroupfs: a container is not in its pod's cgroup. */
static void a_container_beside_its_pod(void **state)
{
	(void)state;
	assert_pod(add("/kubepods.slice/kubepods-pod" UID_ ".slice"), "");
	assert_pod(add("/system.slice/containerd.service/kubepods-pod" UID_
		       ".slice:cri-containerd:" ID),
		   ID);
	assert_unit(add(NODE "/kubepods-pod" UID_ ".slice:cri-containerd:" ID2),
		    "docker-aaaaaaaabbbb");
	assert_int_equal(registry.claims.refused, 1);
}

static void walk(void)
{
	assert_int_equal(registry_walk(&registry, mount, "/proc", 1), 0);
}

static const struct cgroup_name *found(const char *path)
{
	struct stat st;
	const struct cgroup *cgroup;

	assert_int_equal(stat(full_path(path), &st), 0);
	cgroup = registry_find(&registry, st.st_ino);
	assert_non_null(cgroup);
	return &cgroup->name;
}

/* At the start of the probe the order of the directories is anyone's. */
static void a_walk_begins_where_kubelets_are(void **state)
{
	static const char *const others[] = {"/a/kubepods/pod" UID "/" ID,
					     "/z/kubepods/pod" UID "/" ID,
					     "/l/kubepods/pod" UID "/" ID};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(others); i++)
		make(others[i]);
	give(USER);
	make(USER "/kubepods/pod" UID "/" ID);
	make(POD "/" ID "/nested");
	walk();
	assert_pod(found(POD "/" ID), ID);
	assert_pod(found(POD "/" ID "/nested"), ID);
	assert_unit(found(others[0]), "a/kubepods");
	assert_unit(found(others[1]), "z/kubepods");
	assert_unit(found(others[2]), "l/kubepods");
	assert_unit(found(USER "/kubepods/pod" UID "/" ID), "user@1000.service");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kubelets_own_places_are_believed),
		TEST(elsewhere_the_owners_decide),
		TEST(a_users_tree_has_no_pods),
		TEST(it_is_told_again_after_a_minute),
		TEST(others_may_not_write_above_a_pod),
		TEST(a_given_root_is_believed),
		TEST(roots_are_paths),
		TEST(a_pod_has_one_place),
		TEST(an_ended_pod_stays_where_it_was),
		TEST(the_container_of_another_is_no_container),
		TEST(a_container_beside_its_pod),
		TEST(a_walk_begins_where_kubelets_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
