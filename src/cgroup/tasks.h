/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many tasks a cgroup and those below it have. Any thread. */
#ifndef BRAMBLE_CGROUP_TASKS_H
#define BRAMBLE_CGROUP_TASKS_H

#include <stdint.h>

/*
 * Anyone may make cgroups in their own, and tasks. If a cgroup has more than so many of either, its
 * tasks are not counted.
 */
#define CGROUP_TASKS_CGROUPS_MAX 256
#define CGROUP_TASKS_MAX	 65536

/*
 * Reads cgroup.threads of all of them: threads that have not exited. (pids.current also has those
 * that nobody has waited for, and is not there without the pids controller.) mount: where cgroup v2
 * is; path: the cgroup's in it. Returns the number; 0 if the cgroup is gone; or a negative errno:
 * -E2BIG if there are too many.
 */
int64_t cgroup_count_tasks(const char *mount, const char *path);

#endif
