/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file systems the probe reads: tracefs and cgroup v2. Where nobody has mounted one, this
 * process mounts it for itself: fsmount(2) (5.2, 93766fbd2696) attaches the mount to no directory,
 * so it is in no list of mounts, other processes do not see it, and it ends with its descriptor.
 * The process stays in its mount namespace, so that what is mounted or unmounted later is so here.
 */
#ifndef BRAMBLE_MOUNTS_H
#define BRAMBLE_MOUNTS_H

#include <linux/limits.h>
#include <stdbool.h>

#include "cgroup/mount.h"

/* Where to look. The strings are not owned. */
struct mount_places {
	const char *procfs, *sysfs;
	/* What the user named, and NULL else: only then a mount may be made. */
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
	 * Why it could not be made where it was tried, a negative errno, else 0: -EPERM without
	 * CAP_SYS_ADMIN in the first user namespace, -ENODEV if the kernel does not have the file
	 * system, -EBUSY for a cgroup2 whose options, which all its mounts share, are not known.
	 */
	int own_cgroup2_err, own_tracefs_err;

	int fd[2]; /* of own mounts */
	int fds;
};

/*
 * Finds both, and mounts what nobody has. cgroup v2 is mounted only where there is no cgroup
 * hierarchy at all: a machine with version 1 is to choose for itself. All of *out is set; it is
 * for mounts_close() then. The paths are good for any thread of this process, until that.
 */
void mounts_find(const struct mount_places *places, struct mounts *out);

/* Logs, once and as information, what was mounted, if anything was. */
void mounts_log_own(const struct mounts *mounts);

/* Ends the mounts of our own. */
void mounts_close(struct mounts *mounts);

#endif
