/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the kernel keeps for the tasks in the cgroup of this process. One thread calls it. */
#ifndef BRAMBLE_REPORT_TASKS_H
#define BRAMBLE_REPORT_TASKS_H

#include <stdint.h>

/*
 * Adds up how long all tasks in this cgroup have waited for a CPU: the second number in
 * /proc/PID/task/TID/schedstat (kernel/sched/core.c, sched_info). Tasks that have ended are not in
 * it. Returns 0 or a negative errno: -EOPNOTSUPP if this kernel has no such file.
 */
int tasks_run_delay(const char *procfs, uint64_t *ns);

#endif
