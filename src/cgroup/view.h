/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the mount point shows of the hierarchy. The kernel's events have paths from the root of the
 * hierarchy. A walk has paths from the mount point, which in a container (a node of kind, say) may
 * be a part of it: the two differ by the path of that part. One thread.
 */
#ifndef BRAMBLE_CGROUP_VIEW_H
#define BRAMBLE_CGROUP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_view {
	const char *mount; /* not owned */
	bool whole;	   /* the mount shows the whole hierarchy */
	char *part;	   /* the path of what it shows; NULL: not known yet. Owned */
	size_t part_len;
};

/* mount must outlive the view. It need not be there. */
void cgroup_view_open(struct cgroup_view *view, const char *mount);
void cgroup_view_close(struct cgroup_view *view);

/*
 * The path of a cgroup as a walk has it. path is an event's, and the result is a part of it or "/".
 * A path that the mount does not show stays as it is. Which part is shown becomes known with the
 * first cgroup in it that is still there: the mount point has a directory with its id.
 */
const char *cgroup_view_path(struct cgroup_view *view, uint64_t id, const char *path);

#endif
