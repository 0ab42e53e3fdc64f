/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The home of a cgroup: the uppermost cgroup that has its name. A container's home is the cgroup
 * that its runtime made. What a container's processes make in it is nested, and has the same home.
 * Any thread.
 */
#ifndef BRAMBLE_CGROUP_HOME_H
#define BRAMBLE_CGROUP_HOME_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/path.h"

/* How many bytes of a path are its home's. All of them: it is a home. name: how it was named. */
size_t cgroup_home_len(const char *path, const struct cgroup_name *name);

/* How many bytes of a path are its parent's. 0: that is the root. */
size_t cgroup_parent_len(const char *path, size_t len);

enum cgroup_home_kind {
	HOME_ROOT,
	HOME_POD,	    /* a pod's own cgroup */
	HOME_CONTAINER,	    /* a child of its pod */
	HOME_CONTAINER_FAR, /* a container of a pod, somewhere else */
	HOME_PODS,	    /* holds the pods of one class of service */
	HOME_GROUP,	    /* only holds others, which are no part of it: a slice */
	HOME_UNIT,	    /* a unit, or a container outside of pods, that is in no other unit */
	HOME_MEMBER, /* the same in a unit: a user's container in the user's service manager */
};

/*
 * What a home is. For HOME_MEMBER, *above is how many bytes of the path are those of the unit
 * around it.
 */
enum cgroup_home_kind cgroup_home_kind(const char *home, const struct cgroup_name *name,
				       size_t *above);

#endif
