/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where cgroup v2 is mounted.
 */
#ifndef BRAMBLE_MOUNT_H
#define BRAMBLE_MOUNT_H

#include <linux/limits.h>
#include <stdbool.h>

struct cgroup2_mount {
	char path[PATH_MAX]; /* of the mount point; empty if there is none */
	bool v1;	/* v1 hierarchies are mounted too: hybrid, or pure v1 if path is empty */
	bool v1_memory; /* the memory controller is in one of these */
	/*
	 * The mount shows the whole hierarchy. A container sees only a part of it, unless it has
	 * the host's cgroup namespace, or the host's /sys/fs/cgroup is mounted in it.
	 */
	bool whole;
};

/*
 * Finds the cgroup2 mount of this process, from procfs/self/mountinfo. If there are several, takes
 * the one that shows most of the hierarchy. If a path is wanted (not NULL) and it is such a mount,
 * takes that instead, or else its child "unified", where hybrid systems have it.
 *
 * Returns 0; -ENOENT if cgroup v2 is not mounted (out->v1 says whether v1 is); -EMEDIUMTYPE if the
 * wanted path is something else; another negative errno if mountinfo or the wanted path cannot be
 * read.
 */
int cgroup2_find(const char *procfs, const char *wanted, struct cgroup2_mount *out);

/* Whether a mount point of cgroup v2 shows the whole hierarchy. Also if it is not there. */
bool cgroup2_is_whole(const char *path);

#endif
