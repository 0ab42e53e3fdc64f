/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file systems that the probe reads: tracefs and cgroup v2. If nobody has mounted one, this
 * process mounts it for itself. fsmount(2) (5.2, 93766fbd2696) attaches the mount to no directory.
 * So it is in no list of mounts, other processes do not see it, and it ends with its descriptor.
 * The process stays in its mount namespace, and so it sees later mounts and unmounts.
 */
#ifndef BRAMBLE_MOUNTS_H
#define BRAMBLE_MOUNTS_H

#include <linux/limits.h>
#include <stdbool.h>

#include "cgroup/mount.h"

/* Where to look. The strings are not owned. */
struct mount_places {
	const char *procfs, *sysfs;
	/* What the user named, or NULL. A mount may be made only if it is NULL. */
	const char *cgroupfs, *tracefs;
};

struct mounts {
	struct cgroup2_mount cgroup2;
	int cgroup2_err; /* 0, or what cgroup2_find() returned */
	char tracefs[PATH_MAX];
	int tracefs_err; /* 0, or what feature_tracefs() returned */

	/* The mount is this process's own; its path leads through procfs to a descriptor. */
	bool own_cgroup2, own_tracefs;
	/*
	 * Why a mount of our own failed: a negative errno, or 0. -EPERM without CAP_SYS_ADMIN in
	 * the first user namespace; -ENODEV if the kernel lacks the file system; -EBUSY if the
	 * options of cgroup2, which all its mounts share, are not known.
	 */
	int own_cgroup2_err, own_tracefs_err;

	int fd[2]; /* of own mounts */
	int fds;
};

/*
 * Finds both, and mounts what nobody has mounted. cgroup v2 is mounted only if there is no cgroup
 * hierarchy at all: the owner of a machine with version 1 must choose. Sets all of *out, which the
 * caller gives to mounts_close(). Until then the paths are valid in any thread of this process.
 */
void mounts_find(const struct mount_places *places, struct mounts *out);

/* Logs, once and as information, what was mounted, if anything was. */
void mounts_log_own(const struct mounts *mounts);

/* Ends the mounts of our own. */
void mounts_close(struct mounts *mounts);

#endif
