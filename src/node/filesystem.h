/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file systems that pods live on: the root, and those with the directories of the kubelet, the
 * runtimes and the logs. A Pi often has one SD card for all of them. File systems that pods mount
 * themselves are left out.
 */
#ifndef BRAMBLE_NODE_FILESYSTEM_H
#define BRAMBLE_NODE_FILESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILESYSTEMS_MAX 8

enum filesystem_value {
	FILESYSTEM_SIZE,      /* bytes */
	FILESYSTEM_AVAILABLE, /* bytes that a user other than root can have */
	FILESYSTEM_FILES,     /* inodes; not known of a file system without a fixed number */
	FILESYSTEM_FILES_FREE,
	FILESYSTEM_READONLY, /* 1: nothing can be written, as after an error of an SD card */
	FILESYSTEM_VALUES,
};

struct filesystem {
	char *mountpoint; /* on the host */
	char *device;
	char *type;
	bool known[FILESYSTEM_VALUES];
	uint64_t value[FILESYSTEM_VALUES];
};

struct filesystems {
	char root[64]; /* where the host's root directory is seen from here */
	size_t count;
	struct filesystem list[FILESYSTEMS_MAX];
};

/*
 * The root directory of the machine's first process, as an open directory (O_PATH) that
 * filesystems_open() takes. Later this process may not look there any more: that needs
 * CAP_SYS_PTRACE. -1 if it may not look there now, or if that is its own root, too.
 */
int filesystems_open_root(const char *procfs);

/*
 * Finds them in the mountinfo of the host's first process, below procfs, or else in that of this
 * process. root_fd: from filesystems_open_root(); not owned. Takes some milliseconds if there are
 * many mounts.
 */
void filesystems_open(struct filesystems *filesystems, const char *procfs, int root_fd);
void filesystems_read(struct filesystems *filesystems);
void filesystems_close(struct filesystems *filesystems);

#endif
