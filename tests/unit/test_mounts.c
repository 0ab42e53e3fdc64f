/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* In a mount namespace of this program's own, where nobody has mounted tracefs or cgroups. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/features.h"
#include "kernel/mounts.h"
#include "skip.h"
#include "util/buf.h"

static const struct mount_places everywhere = {.procfs = "/proc", .sysfs = "/sys"};

static const char *skip_reason;
static char dir[] = "/tmp/bramble-test-XXXXXX";
static struct mounts mounts;

/* Until nothing is mounted there any more, in this namespace. */
static void unmount(const char *path)
{
	while (umount2(path, MNT_DETACH) == 0)
		;
}

static int group_setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		skip_reason = "a mount namespace takes CAP_SYS_ADMIN";
		return 0;
	}
	unmount("/sys/kernel/tracing");
	unmount("/sys/kernel/debug");
	unmount("/sys/fs/cgroup");
	return mkdtemp(dir) ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	if (!skip_reason)
		rmdir(dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mounts_close(&mounts);
	return 0;
}

static void need_namespace(void)
{
	if (skip_reason)
		skip_because("%s", skip_reason);
}

static char *mountinfo(const char *path)
{
	struct buf text;

	assert_int_equal(buf_read_file(&text, path, 1 << 20), 0);
	return buf_take(&text);
}

/* Of the lines of a mountinfo those of tracefs and cgroups. Others may come and go. */
static char *machine_mounts(void)
{
	char *text = mountinfo("/proc/1/mountinfo"), *line, *save = NULL;
	struct buf lines = {0};

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, " - tracefs ") || strstr(line, " - cgroup"))
			buf_printf(&lines, "%s\n", line);
	free(text);
	assert_false(buf_failed(&lines));
	return buf_take(&lines) ?: strdup("");
}

static int next_fd(void)
{
	int fd = dup(0);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* Both are there, and can be read; no list of mounts has them, and nothing of them stays. */
static void test_own(void **state)
{
	char *before, *after, *machine_before, *machine_after;
	struct cgroup2_mount again;
	int fd = next_fd();

	(void)state;
	need_namespace();
	before = mountinfo("/proc/self/mountinfo");
	machine_before = machine_mounts();
	mounts_find(&everywhere, &mounts);
	assert_int_equal(mounts.cgroup2_err, 0);
	assert_int_equal(mounts.tracefs_err, 0);
	assert_true(mounts.own_cgroup2 && mounts.own_tracefs);
	assert_int_equal(feature_event(mounts.tracefs, "sched/sched_switch"), 1);
	assert_int_equal(cgroup2_find("/proc", mounts.cgroup2.path, &again), 0);
	assert_int_equal(again.whole, mounts.cgroup2.whole);
	after = mountinfo("/proc/self/mountinfo");
	machine_after = machine_mounts();
	assert_string_equal(after, before);
	/* With the options of its cgroup v2, which are the same for all its mounts. */
	assert_string_equal(machine_after, machine_before);
	mounts_close(&mounts);
	assert_int_equal(feature_event(mounts.tracefs, "sched/sched_switch"), 0);
	assert_int_equal(next_fd(), fd);
	free(before);
	free(after);
	free(machine_before);
	free(machine_after);
}

static void test_read_only(void **state)
{
	char path[PATH_MAX + 32];

	(void)state;
	need_namespace();
	mounts_find(&everywhere, &mounts);
	snprintf(path, sizeof(path), "%s/tracing_on", mounts.tracefs);
	assert_int_equal(open(path, O_WRONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EROFS);
}

/* Existing mounts are used, and none is made. */
static void test_mounted(void **state)
{
	(void)state;
	need_namespace();
	assert_int_equal(mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL), 0);
	mounts_find(&everywhere, &mounts);
	unmount("/sys/kernel/tracing");
	assert_int_equal(mounts.tracefs_err, 0);
	assert_false(mounts.own_tracefs);
	assert_string_equal(mounts.tracefs, "/sys/kernel/tracing");
	assert_int_equal(mounts.fds, 1);
	assert_true(mounts.own_cgroup2);
}

/* If the mount that the user named is not there, that is an error. */
static void test_named(void **state)
{
	const struct mount_places named = {.procfs = "/proc",
					   .sysfs = "/sys",
					   .cgroupfs = "/sys/fs/cgroup",
					   .tracefs = "/sys/kernel/tracing"};
	const struct mount_places absent = {
		.procfs = "/proc", .sysfs = "/sys", .cgroupfs = "/no/such", .tracefs = "/no/such"};

	(void)state;
	need_namespace();
	mounts_find(&named, &mounts);
	assert_int_equal(mounts.cgroup2_err, -EMEDIUMTYPE);
	assert_int_equal(mounts.tracefs_err, -ENOENT);
	assert_int_equal(mounts.fds, 0);
	mounts_find(&absent, &mounts);
	assert_int_equal(mounts.cgroup2_err, -ENOENT);
	assert_int_equal(mounts.tracefs_err, -ENOENT);
	assert_int_equal(mounts.fds, 0);
}

/* The files of another machine are read as they are. */
static void test_recorded(void **state)
{
	const struct mount_places recorded = {.procfs = "/proc", .sysfs = dir};

	(void)state;
	need_namespace();
	mounts_find(&recorded, &mounts);
	assert_int_equal(mounts.cgroup2_err, -ENOENT);
	assert_int_equal(mounts.tracefs_err, -ENOENT);
	assert_int_equal(mounts.fds, 0);
}

/* A machine that has chosen version 1 gets no version 2 behind its back. */
static void test_v1_alone(void **state)
{
	(void)state;
	need_namespace();
	if (mount("none", dir, "cgroup", 0, "none,name=bramble-test"))
		skip_because("this kernel has no cgroup v1: %s", strerror(errno));
	mounts_find(&everywhere, &mounts);
	unmount(dir);
	assert_int_equal(mounts.cgroup2_err, -ENOENT);
	assert_true(mounts.cgroup2.v1);
	assert_false(mounts.own_cgroup2);
	assert_true(mounts.own_tracefs);
}

/* Last: this process cannot get its capabilities back. */
static void test_without_the_right(void **state)
{
	const cap_value_t admin = CAP_SYS_ADMIN;
	cap_t caps = cap_get_proc();

	(void)state;
	need_namespace();
	assert_non_null(caps);
	assert_int_equal(cap_set_flag(caps, CAP_EFFECTIVE, 1, &admin, CAP_CLEAR), 0);
	assert_int_equal(cap_set_flag(caps, CAP_PERMITTED, 1, &admin, CAP_CLEAR), 0);
	assert_int_equal(cap_set_proc(caps), 0);
	cap_free(caps);
	mounts_find(&everywhere, &mounts);
	assert_int_equal(mounts.cgroup2_err, -ENOENT);
	assert_int_equal(mounts.own_cgroup2_err, -EPERM);
	assert_false(mounts.cgroup2.v1);
	assert_int_equal(mounts.tracefs_err, -ENOENT);
	assert_int_equal(mounts.own_tracefs_err, -EPERM);
	assert_int_equal(mounts.fds, 0);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_own),
		TEST(test_read_only),
		TEST(test_mounted),
		TEST(test_named),
		TEST(test_recorded),
		TEST(test_v1_alone),
		TEST(test_without_the_right),
	};

	return cmocka_run_group_tests_name("mounts", tests, group_setup, group_teardown);
}
