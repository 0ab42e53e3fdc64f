/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tracefs and cgroup v2 for tests that need the real ones. If they are not mounted, the program's
 * own code mounts them for this process. So nobody has to mount anything by hand.
 */
#ifndef BRAMBLE_TEST_OWN_MOUNTS_H
#define BRAMBLE_TEST_OWN_MOUNTS_H

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "kernel/mounts.h"

/* As mounts_find(), but cgroups can be made where it was mounted for this process (5.12). */
static inline void own_mounts_find(struct mounts *mounts)
{
	const struct mount_places places = {.procfs = "/proc", .sysfs = "/sys"};
	struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};

	mounts_find(&places, mounts);
	if (mounts->own_cgroup2 &&
	    mount_setattr(mounts->fd[0], "", AT_EMPTY_PATH, &writable, sizeof(writable)))
		mounts->cgroup2_err = -EROFS;
}

#endif
