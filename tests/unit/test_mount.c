/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>

#include "cgroup/mount.h"
#include "tree.h"
#include "skip.h"
#include "util/array.h"

static int setup(void **state)
{
	(void)state;
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

/* Finds in a mountinfo of this text. */
static int find(const char *mountinfo, struct cgroup2_mount *out)
{
	tree_put("self/mountinfo", mountinfo);
	return cgroup2_find(tree_root, NULL, out);
}

static void test_pure_v2(void **state)
{
	struct cgroup2_mount mount;

	(void)state;
	assert_int_equal(find("22 27 0:21 / /proc rw,relatime - proc proc rw\n"
			      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "
			      "rw,nsdelegate,memory_recursiveprot\n",
			      &mount),
			 0);
	assert_string_equal(mount.path, "/sys/fs/cgroup");
	assert_false(mount.v1);
	assert_false(mount.v1_memory);
}

static void test_hybrid(void **state)
{
	struct cgroup2_mount mount;

	(void)state;
	assert_int_equal(
		find("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
		     "32 31 0:29 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n"
		     "33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
		     "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
		     &mount),
		0);
	assert_string_equal(mount.path, "/sys/fs/cgroup/unified");
	assert_true(mount.v1);
	assert_false(mount.v1_memory);
}

static void test_pure_v1(void **state)
{
	struct cgroup2_mount mount;

	(void)state;
	assert_int_equal(find("34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			      "35 31 0:32 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			      &mount),
			 -ENOENT);
	assert_true(mount.v1);
	assert_true(mount.v1_memory);
	assert_string_equal(mount.path, "");
}

/* A name that only begins like a controller is not a controller. */
static void test_no_cgroups(void **state)
{
	struct cgroup2_mount mount;

	(void)state;
	assert_int_equal(find("", &mount), -ENOENT);
	assert_false(mount.v1);
	assert_int_equal(find("34 31 0:31 / /a rw - cgroup cgroup rw,memoryx,xmemory\n", &mount),
			 -ENOENT);
	assert_true(mount.v1);
	assert_false(mount.v1_memory);
	assert_int_equal(cgroup2_find("/nonexistent", NULL, &mount), -ENOENT);
	assert_false(mount.v1);
}

static void test_escapes(void **state)
{
	struct cgroup2_mount mount;

	(void)state;
	assert_int_equal(
		find("1 2 0:3 / /mnt/a\\040b\\011\\134040\\9 rw - cgroup2 none rw\n", &mount), 0);
	assert_string_equal(mount.path, "/mnt/a b\t\\040\\9");
}

/* The mount that shows most wins, wherever it stands in the file. */
static void test_namespaces(void **state)
{
	static const char *const below = "1 2 0:3 /kubepods/pod1 /below rw - cgroup2 none rw\n";
	static const char *const own = "1 2 0:3 / /own rw - cgroup2 none rw\n";
	static const char *const above = "1 2 0:3 /../.. /above rw - cgroup2 none rw\n";
	static const char *const aside = "1 2 0:3 /../../x /aside rw - cgroup2 none rw\n";
	struct cgroup2_mount mount;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "%s%s%s%s", below, own, above, aside);
	assert_int_equal(find(text, &mount), 0);
	assert_string_equal(mount.path, "/above");
	snprintf(text, sizeof(text), "%s%s%s", own, aside, below);
	assert_int_equal(find(text, &mount), 0);
	assert_string_equal(mount.path, "/own");
	assert_int_equal(find(below, &mount), 0);
	assert_string_equal(mount.path, "/below");
}

static void test_damaged(void **state)
{
	static const char *const lines[] = {
		"\n",
		"1 2 0:3 / /a rw",
		"1 2 0:3 / - cgroup2 none rw\n",
		" - \n",
		"1 2 0:3 / /a rw - \n",
		"1 - cgroup2\n",
		"x\0y - z\n",
		"   -   -   -   \n",
		"1 2 0:3 / /a\\0 rw - cgroup\n",
		" - cgroup2 ",
		"1 2 0:3 / /a rw - cgroup2x none rw\n",
	};
	struct cgroup2_mount mount;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(find(lines[i], &mount), -ENOENT);
}

static void test_wanted(void **state)
{
	struct cgroup2_mount mount, by_itself;

	(void)state;
	assert_int_equal(cgroup2_find("/proc", "/nonexistent", &mount), -ENOENT);
	assert_int_equal(cgroup2_find("/proc", "/tmp", &mount), -EMEDIUMTYPE);
	assert_string_equal(mount.path, "");
	if (cgroup2_find("/proc", NULL, &mount))
		skip_because("cgroup v2 is not mounted in this namespace: test_mounts tests that");
	assert_int_equal(cgroup2_find("/proc", mount.path, &by_itself), 0);
	assert_string_equal(by_itself.path, mount.path);
	if (strcmp(mount.path, "/sys/fs/cgroup/unified") == 0) {
		assert_int_equal(cgroup2_find("/proc", "/sys/fs/cgroup", &mount), 0);
		assert_string_equal(mount.path, "/sys/fs/cgroup/unified");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pure_v2), cmocka_unit_test(test_hybrid),
		cmocka_unit_test(test_pure_v1), cmocka_unit_test(test_no_cgroups),
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_wanted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
