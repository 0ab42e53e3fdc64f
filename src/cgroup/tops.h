/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whose files say what a container or a unit uses. The files of a cgroup count
 * what happens below it, too: so of the cgroups of one container it is the
 * uppermost, and none that has or had other containers or units below it (a slice, a
 * pod's own cgroup, "kubepods"), which would be counted twice.
 */
#ifndef BRAMBLE_CGROUP_TOPS_H
#define BRAMBLE_CGROUP_TOPS_H

#include <stddef.h>

#include "cgroup/registry.h"

/*
 * Finds them among the cgroups that are there, in the order of their paths, and sets
 * held_others of those that hold others. On success the caller frees *tops. Returns 0 or -ENOMEM.
 */
int cgroup_tops_find(const struct registry *registry, struct cgroup ***tops, size_t *count);

#endif
