/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A tree of directories stands for the cgroup file system: a cgroup's id is its inode's number. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "cgroup/registry.h"
#include "tree.h"
#include "util/array.h"
#include "util/clock.h"

#define CONTAINER_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD_DIR	     "kubepods/burstable/pod11111111-2222-3333-4444-555555555555"

static struct registry registry;

/* As upper floors keep what is theirs. */
struct entry {
	struct cgroup cgroup;
	uint64_t kept[16];
};

static int setup(void **state)
{
	(void)state;
	registry_open(&registry, sizeof(struct entry));
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	registry_free(&registry);
	return tree_remove("") || registry.table ? -1 : 0;
}

static const char *full_path(const char *path)
{
	static char full[320];

	snprintf(full, sizeof(full), "%s/cg%s", tree_root, path);
	return full;
}

/* Makes a cgroup, and those above it. Returns its id. */
static uint64_t make(const char *path)
{
	struct stat st;
	char file[180];

	snprintf(file, sizeof(file), "cg%.150s/cgroup.procs", path);
	tree_put(file, "");
	assert_int_equal(stat(full_path(path), &st), 0);
	return st.st_ino;
}

/* Moved away and not deleted: unlike a cgroup's id, an inode's number is given again. */
static void remove_cgroup(const char *path)
{
	char gone[80];

	snprintf(gone, sizeof(gone), "%s/gone", tree_root);
	assert_int_equal(rename(full_path(path), gone), 0);
}

static void walk(uint64_t now_ns)
{
	char procfs[80];

	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	assert_int_equal(registry_walk(&registry, full_path(""), procfs, now_ns), 0);
}

static struct cgroup *find(uint64_t id)
{
	struct cgroup *cgroup = registry_find(&registry, id);

	assert_non_null(cgroup);
	assert_int_equal(cgroup->id, id);
	return cgroup;
}

static void test_add_and_find(void **state)
{
	struct cgroup *cgroup;

	(void)state;
	assert_null(registry_find(&registry, 7));
	cgroup = registry_add(&registry, 7, "/system.slice/ssh.service", 99);
	assert_non_null(cgroup);
	assert_ptr_equal(registry_find(&registry, 7), cgroup);
	assert_string_equal(cgroup->path, "/system.slice/ssh.service");
	assert_string_equal(cgroup->name.unit, "ssh.service");
	assert_int_equal(cgroup->born_ns, 99);
	assert_int_equal(cgroup->removed_ns, 0);
	/* The first source that reports a cgroup is right. */
	assert_ptr_equal(registry_add(&registry, 7, "/other", 1), cgroup);
	assert_string_equal(cgroup->path, "/system.slice/ssh.service");
	registry_remove(&registry, cgroup);
	assert_null(registry_find(&registry, 7));
}

/* What follows a cgroup in its entry is zero at first, and the caller's from then on. */
static void test_larger_entries(void **state)
{
	uint64_t id = make("/a"), other = make("/b");
	struct entry *entry;
	size_t i;

	(void)state;
	walk(1);
	entry = (struct entry *)find(id);
	for (i = 0; i < ARRAY_SIZE(entry->kept); i++) {
		assert_int_equal(entry->kept[i], 0);
		entry->kept[i] = UINT64_MAX;
	}
	walk(2);
	assert_ptr_equal(find(id), entry);
	assert_string_equal(entry->cgroup.path, "/a");
	assert_int_equal(entry->kept[ARRAY_SIZE(entry->kept) - 1], UINT64_MAX);
	assert_int_equal(((struct entry *)find(other))->kept[0], 0);
}

static void test_path_that_cannot_be_read(void **state)
{
	static const char *const paths[] = {"", "relative", "/a/../b"};
	uint64_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const struct cgroup *cgroup = registry_add(&registry, i + 1, paths[i], 0);

		assert_int_equal(cgroup->name.kind, CGROUP_UNIT);
		assert_string_equal(cgroup->name.unit, "unknown");
		assert_string_equal(cgroup->path, paths[i]);
	}
}

static void test_many(void **state)
{
	char path[32];
	uint64_t i;

	(void)state;
	for (i = 1; i <= 5000; i++) {
		snprintf(path, sizeof(path), "/u%d", (int)i);
		assert_non_null(registry_add(&registry, i << 20, path, 0));
	}
	for (i = 1; i <= 5000; i += 2)
		registry_remove(&registry, find(i << 20));
	assert_int_equal(HASH_COUNT(registry.table), 2500);
	assert_null(registry_find(&registry, 1 << 20));
	assert_string_equal(find(5000ULL << 20)->path, "/u5000");
}

static void test_walk_finds_all(void **state)
{
	uint64_t unit = make("/system.slice/ssh.service");
	uint64_t container = make("/" POD_DIR "/" CONTAINER_ID);
	struct stat root;

	(void)state;
	walk(1);
	assert_int_equal(stat(full_path(""), &root), 0);
	assert_string_equal(find(root.st_ino)->path, "/");
	assert_int_equal(find(root.st_ino)->name.kind, CGROUP_ROOT);
	assert_string_equal(find(unit)->path, "/system.slice/ssh.service");
	assert_string_equal(find(container)->path, "/" POD_DIR "/" CONTAINER_ID);
	assert_string_equal(find(container)->name.pod_uid, "11111111-2222-3333-4444-555555555555");
	assert_string_equal(find(container)->name.container_id, CONTAINER_ID);
	/* root, system.slice, ssh.service, kubepods, burstable, the pod, the container */
	assert_int_equal(HASH_COUNT(registry.table), 7);
}

static void test_walk_again_marks_what_is_gone(void **state)
{
	uint64_t stays = make("/a/stays"), goes = make("/a/goes/deep"), added;
	struct cgroup *gone;

	(void)state;
	walk(100);
	gone = find(goes);
	remove_cgroup("/a/goes");
	added = make("/b/added");
	walk(200);
	assert_int_equal(find(stays)->removed_ns, 0);
	assert_ptr_equal(find(goes), gone); /* still there, until registry_remove() */
	assert_int_equal(gone->removed_ns, 200);
	assert_int_equal(find(added)->removed_ns, 0);
	walk(300);
	assert_int_equal(gone->removed_ns, 200); /* the first walk that missed it */
	assert_int_equal(registry.walk, 3);
}

/* Between two walks an event may have told of a cgroup, and of its end. */
static void test_walk_and_events(void **state)
{
	uint64_t early;
	struct cgroup *told, *ended;

	(void)state;
	make("/a");
	walk(100);
	early = make("/a/early");
	told = registry_add(&registry, early, "/a/early", 55);
	ended = registry_add(&registry, 123456789, "/a/ended", 60);
	ended->removed_ns = 150;
	walk(200);
	assert_int_equal(told->removed_ns, 0);
	assert_int_equal(told->born_ns, 55);
	assert_int_equal(ended->removed_ns, 150);

	told->removed_ns = 160; /* wrongly: it is there */
	walk(300);
	assert_int_equal(told->removed_ns, 0);
}

static void test_walk_errors(void **state)
{
	char missing[100];
	uint64_t id = make("/a");

	(void)state;
	walk(1);
	snprintf(missing, sizeof(missing), "%s/missing", tree_root);
	assert_int_equal(registry_walk(&registry, missing, "/proc", 2), -ENOENT);
	tree_put("file", "");
	snprintf(missing, sizeof(missing), "%s/file", tree_root);
	assert_int_equal(registry_walk(&registry, missing, "/proc", 2), -ENOTDIR);
	/* A hierarchy that cannot be read is not an empty one. */
	assert_int_equal(find(id)->removed_ns, 0);
}

/* A directory that a walk may not enter is not gone. */
static void test_walk_without_descriptors(void **state)
{
	uint64_t stays = make("/a/stays"), goes = make("/b/goes"), ends = make("/b/ends");
	struct rlimit limit, few;
	int next;

	(void)state;
	walk(100);
	remove_cgroup("/b/goes");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	next = dup(0);
	close(next);
	few = limit;
	few.rlim_cur = (rlim_t)next + 1; /* the mount point can be opened, and nothing in it */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	walk(200);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(find(stays)->removed_ns, 0);
	assert_int_equal(find(ends)->removed_ns, 0);
	assert_int_equal(find(goes)->removed_ns, 200);
	assert_int_equal(registry.unread, 2); /* a and b */
}

/* A cgroup that no walk had found had no path. It ends without one, and is found again by path. */
static void test_walk_finds_unknown(void **state)
{
	uint64_t id = make("/a");
	struct cgroup *unknown;

	(void)state;
	unknown = registry_add(&registry, id, "", 0);
	assert_non_null(unknown);
	unknown->removed_ns = 50;
	walk(100);
	assert_int_equal(unknown->removed_ns, 50);
	registry_remove(&registry, unknown);
	walk(200);
	assert_string_equal(find(id)->path, "/a");
	assert_int_equal(find(id)->removed_ns, 0);
}

/* Makes a directory in this one, and goes there. Returns its id. */
static uint64_t make_and_enter(const char *name)
{
	struct stat st;

	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(chdir(name), 0);
	assert_int_equal(stat(".", &st), 0);
	return st.st_ino;
}

static void remove_here(const char *name)
{
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(rmdir(name), 0);
}

/* How many descriptors this process has. */
static unsigned int count_descriptors(void)
{
	unsigned int count = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#define DEPTH 300

/* However deep they lie. The walk goes up again, and finds what is beside them. */
static void test_deep_tree(void **state)
{
	unsigned int descriptors = count_descriptors();
	uint64_t id[DEPTH], beside[DEPTH];
	char path[3 * DEPTH] = "/deep";
	int i;

	(void)state;
	make("/deep");
	assert_int_equal(chdir(full_path("/deep")), 0);
	for (i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdir("a", 0755), 0);
		(void)make_and_enter("z");
		beside[i] = make_and_enter("in");
		assert_int_equal(chdir("../.."), 0);
		id[i] = make_and_enter("d");
	}
	assert_int_equal(chdir("/"), 0);
	walk(1);
	assert_int_equal(registry.unread, 0);
	assert_int_equal(HASH_COUNT(registry.table), 2 + 4 * DEPTH);
	assert_int_equal(count_descriptors(), descriptors);
	for (i = 0; i < DEPTH; i++) {
		assert_string_equal(find(id[i])->name.unit, "deep/d");
		assert_string_equal(find(beside[i])->name.unit, i ? "deep/d" : "deep/z");
	}
	for (i = 0; i < 200; i++)
		memcpy(path + 5 + 2 * i, "/d", 3);
	assert_string_equal(find(id[199])->path, path);
	walk(2);
	assert_int_equal(find(id[DEPTH - 1])->removed_ns, 0);
	remove_cgroup("/deep/d");
	walk(3);
	assert_int_equal(find(id[0])->removed_ns, 3);
	assert_int_equal(find(id[DEPTH - 1])->removed_ns, 3);
	assert_int_equal(registry.unread, 0);
}

#define LONG_NAMES 40

/* A cgroup whose path is too long has the name of the container that it is in. */
static void test_long_paths(void **state)
{
	char name[251];
	uint64_t id[LONG_NAMES], event;
	const struct cgroup *cgroup;
	int i;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	make("/" POD_DIR "/" CONTAINER_ID);
	assert_int_equal(chdir(full_path("/" POD_DIR "/" CONTAINER_ID)), 0);
	for (i = 0; i < LONG_NAMES; i++)
		id[i] = make_and_enter(name);
	walk(1);
	for (i = 0; i < LONG_NAMES; i++) {
		cgroup = find(id[i]);
		assert_int_equal(cgroup->name.kind, CGROUP_CONTAINER);
		assert_string_equal(cgroup->name.container_id, CONTAINER_ID);
		assert_in_range(strlen(cgroup->path), strlen("/" POD_DIR "/" CONTAINER_ID), 511);
		assert_int_equal(cgroup->below, i > 0);
	}
	assert_int_equal(registry.unread, 0);

	/* One that is known by its event alone ends when a walk that leaves nothing out misses it.
	 */
	event = 1ULL << 50;
	assert_non_null(registry_add_below(&registry, event, find(id[0])->path, 0));
	for (i = LONG_NAMES; i > 0; i--)
		remove_here(name);
	assert_int_equal(chdir("/"), 0);
	walk(2);
	assert_int_equal(find(event)->removed_ns, 2);
	assert_int_equal(find(id[0])->removed_ns, 2);
	assert_int_equal(find(id[LONG_NAMES - 1])->removed_ns, 2);
}

/* A container with very many cgroups in it takes no other's place in a walk. */
static void test_one_container_with_many(void **state)
{
	const unsigned int many = (1U << 14) + 100;
	char name[40];
	uint64_t other;
	unsigned int i;

	(void)state;
	make("/" POD_DIR "/" CONTAINER_ID);
	other = make("/zz.slice/other.service");
	assert_int_equal(chdir(full_path("/" POD_DIR "/" CONTAINER_ID)), 0);
	for (i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(mkdir(name, 0755), 0);
	}
	assert_int_equal(chdir("/"), 0);
	walk(1);
	assert_string_equal(find(other)->name.unit, "other.service");
	assert_int_equal(registry.unread, 100);
	assert_int_equal(HASH_COUNT(registry.table), 7 + (1U << 14));
}

/* The kernel allows any bytes in a name but '/', NUL and newline. */
static void test_hostile_names(void **state)
{
	static const char *const names[] = {
		"/\x1b[31mred", "/a b\tc", "/\xff\xfe", "/%s%n%x", "/\"},evil{x=\"", "/...", "/-rf",
	};
	char longest[300] = "/";
	uint64_t id;
	size_t i, k;

	(void)state;
	memset(longest + 1, 'x', 140);
	id = make(longest);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t hostile = make(names[i]);

		walk(i + 1);
		assert_string_equal(find(hostile)->path, names[i]);
		for (k = 0; find(hostile)->name.unit[k]; k++)
			assert_in_range(find(hostile)->name.unit[k], '-', 'z');
		assert_true(k > 0);
	}
	assert_string_equal(find(id)->path, longest);
	assert_int_equal(strlen(find(id)->name.unit), CGROUP_UNIT_SIZE - 1);
}

/* Links lead out of the hierarchy, and files are no cgroups. */
static void test_only_directories(void **state)
{
	(void)state;
	make("/a");
	tree_put("cg/cgroup.stat", "x");
	assert_int_equal(symlink("/", full_path("/root")), 0);
	walk(1);
	assert_int_equal(HASH_COUNT(registry.table), 2);
}

/* Since when a cgroup runs is when its first process was started. */
static void test_born(void **state)
{
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t with, without, foreign, gone;

	(void)state;
	with = make("/with");
	without = make("/without");
	foreign = make("/foreign");
	gone = make("/gone");
	tree_put("cg/with/cgroup.procs", "42\n43\n");
	tree_put("cg/foreign/cgroup.procs", "0\n0\n");
	tree_put("cg/gone/cgroup.procs", "44\n");
	/* proc(5): the name may have spaces and parentheses; the start is field 22. */
	tree_put("proc/42/stat",
		 "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 500 20\n");
	walk(1);
	assert_int_equal(find(with)->born_ns,
			 500 * NS_PER_S / ticks); /* however the clock is set */
	assert_int_equal(find(without)->born_ns, 0);
	assert_int_equal(find(foreign)->born_ns, 0);
	assert_int_equal(find(gone)->born_ns, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_and_find),
		TEST(test_larger_entries),
		TEST(test_path_that_cannot_be_read),
		TEST(test_many),
		TEST(test_walk_finds_all),
		TEST(test_walk_again_marks_what_is_gone),
		TEST(test_walk_and_events),
		TEST(test_walk_errors),
		TEST(test_walk_without_descriptors),
		TEST(test_walk_finds_unknown),
		TEST(test_deep_tree),
		TEST(test_long_paths),
		TEST(test_one_container_with_many),
		TEST(test_hostile_names),
		TEST(test_only_directories),
		TEST(test_born),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
