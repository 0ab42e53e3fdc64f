/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which cgroups' files say what a container or a unit uses. The files of a cgroup also count what
 * happens below it. So for each container it is its uppermost cgroup. It is never a cgroup that has
 * or had other containers or units below it (a slice, a pod's own cgroup, "kubepods"): these would
 * be counted twice.
 */
#ifndef BRAMBLE_CGROUP_TOPS_H
#define BRAMBLE_CGROUP_TOPS_H

#include <stddef.h>

#include "cgroup/registry.h"

/*
 * Finds them among the existing cgroups, in the order of their paths. Sets held_others of the
 * cgroups that hold others. On success the caller frees *tops. Returns 0 or -ENOMEM.
 */
int cgroup_tops_find(const struct registry *registry, struct cgroup ***tops, size_t *count);

#endif
