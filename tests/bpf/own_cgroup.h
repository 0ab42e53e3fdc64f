/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroups of a test's own, in the real cgroup v2 hierarchy of this machine.
 * Paths are relative to one directory that the test makes and removes.
 */
#ifndef BRAMBLE_TEST_OWN_CGROUP_H
#define BRAMBLE_TEST_OWN_CGROUP_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/features.h"
#include "own_mounts.h"
#include "skip.h"

static struct mounts own_mounts; /* until this program ends */
static struct cgroup2_mount own_mount;
static char own_dir[64];	/* below the mount, with a leading slash */
static char own_home[PATH_MAX]; /* the cgroup this process came from */

/* Reads where this process is: the line "0::/path" of /proc/self/cgroup. */
static inline int own_find_home(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3) == 0)
			snprintf(own_home, sizeof(own_home), "%s", line + 3);
	}
	fclose(file);
	return own_home[0] ? 0 : -1;
}

/* Makes the test's own directory. Returns NULL, or the reason why that is not possible. */
static inline const char *own_setup(void)
{
	char path[PATH_MAX + 64];

	if (geteuid())
		return "it needs root";
	own_mounts_find(&own_mounts);
	own_mount = own_mounts.cgroup2;
	if (own_mounts.cgroup2_err)
		return "cgroup v2 is not mounted and cannot be";
	if (own_find_home())
		return "/proc/self/cgroup has no cgroup v2";
	snprintf(own_dir, sizeof(own_dir), "/bramble-test-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s%s", own_mount.path, own_dir);
	return mkdir(path, 0755) ? "cgroups cannot be made here" : NULL;
}

/* The same for a test that loads the probe with the tracefs of own_mounts. */
static inline const char *own_setup_for_probe(void)
{
	const char *reason = own_setup();

	if (!reason && feature_tracing())
		reason = "the kernel loads no BPF programs for this process";
	if (!reason && own_mounts.tracefs_err)
		reason = "tracefs is not mounted and cannot be";
	return reason;
}

/* Writes the full path of a cgroup of the test's; "" is its directory. */
static inline const char *own_path(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s%s", own_mount.path, own_dir, name);
	return path;
}

/* Makes a cgroup. name begins with a slash, or is "" for the test's directory. Returns the id. */
static inline uint64_t own_make(const char *name)
{
	struct stat st;

	if (name[0])
		assert_int_equal(mkdir(own_path(name), 0755), 0);
	assert_int_equal(stat(own_path(name), &st), 0);
	return st.st_ino;
}

static inline int own_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP)
		rmdir(path);
	return 0;
}

/* Removes a cgroup and all below it, if they are there: what a test that failed has left. */
static inline void own_remove_all(const char *name)
{
	nftw(own_path(name), own_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Moves the calling process. */
static inline bool own_move(const char *cgroup)
{
	char path[2 * PATH_MAX + 32];
	bool moved;
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	moved = fd >= 0 && write(fd, "0", 1) == 1;
	if (fd >= 0)
		close(fd);
	return moved;
}

static inline bool own_join(const char *name)
{
	return own_move(own_path(name));
}

static inline bool own_go_home(void)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", own_mount.path, own_home);
	return own_move(path);
}

/* Removes a cgroup that has no process left. A zombie may still be leaving it. */
static inline bool own_remove(const char *name)
{
	int tries;

	for (tries = 0; tries < 200; tries++) {
		if (rmdir(own_path(name)) == 0)
			return true;
		if (errno != EBUSY)
			return false;
		usleep(10000);
	}
	return false;
}

#endif
