/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lines of /proc/PID/mountinfo, see proc_pid_mountinfo(5). Any thread. */
#ifndef BRAMBLE_MOUNTINFO_H
#define BRAMBLE_MOUNTINFO_H

#include <stdbool.h>

/* One mount. The strings are in the line it was read from. */
struct mount_entry {
	char *root;    /* which part of the file system is mounted */
	char *point;   /* where */
	char *type;    /* "ext4" */
	char *source;  /* "/dev/mmcblk0p2"; NULL if the line has none */
	char *options; /* of the file system, as v1 controllers; NULL if the line has none */
};

/* Splits a line in place; a newline at its end is left out. Returns whether it is one of a mount.
 */
bool mountinfo_split(char *line, struct mount_entry *mount);

#endif
