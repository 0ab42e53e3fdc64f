/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The owners of what the kernel does itself. What its threads count is the unit kernel's, whatever
 * their job. Only as causes of others' waits they are several: one for each job.
 */
#ifndef BRAMBLE_KERNEL_JOBS_H
#define BRAMBLE_KERNEL_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "bramble/cells.h"
#include "metrics/owners.h"

/*
 * By job. That of KERNEL_JOB_OTHER is the unit kernel. The others are hidden, and nothing is ever
 * counted for them. Owned by the owners.
 */
struct kernel_jobs {
	struct owner *owner[KERNEL_JOBS];
};

/* Adds them to the owners, for ever. Returns false without memory. */
bool kernel_jobs_open(struct kernel_jobs *jobs, struct owners *owners);

/* Whether a slot with this cgroup id is one of the kernel's own; and of which job. */
static inline bool is_kernel_id(uint64_t id)
{
	return id > KERNEL_JOB_ID(KERNEL_JOBS);
}

static inline enum kernel_job kernel_job_of_id(uint64_t id)
{
	return (enum kernel_job)(KERNEL_CGROUP_ID - id);
}

#endif
