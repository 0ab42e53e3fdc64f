/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The unit of a cgroup that belongs to no container: rule 3 of path.h. The tables of unit.c say
 * which cgroups only hold others, and which are never groups. Any thread.
 */
#ifndef BRAMBLE_CGROUP_UNIT_H
#define BRAMBLE_CGROUP_UNIT_H

#include <stdbool.h>

#include "cgroup/path.h"

/* Names the unit of a path. False, with an empty name, if the path has no component. */
bool unit_of_path(const char *path, char unit[CGROUP_UNIT_SIZE]);

/*
 * Whether a unit, as it was named here, is known to only hold others: a slice, or a group such as
 * "kubepods" or "docker". Its files say what others use and have used.
 */
bool unit_is_group(const char *unit);

#endif
