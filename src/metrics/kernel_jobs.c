/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/kernel_jobs.h"

#include <stdio.h>

#include "metrics/naming.h"

/* The values of the label by_job. KERNEL_JOB_OTHER has no such label. */
static const char *const names[KERNEL_JOBS] = {
	[KERNEL_JOB_OTHER] = "",
	[KERNEL_JOB_KSWAPD] = "kswapd",
	[KERNEL_JOB_KCOMPACTD] = "kcompactd",
	[KERNEL_JOB_KSOFTIRQD] = "ksoftirqd",
	[KERNEL_JOB_KWORKER] = "kworker",
	[KERNEL_JOB_JBD2] = "jbd2",
	[KERNEL_JOB_FILESYSTEM] = "filesystem",
	[KERNEL_JOB_DISK] = "disk",
	[KERNEL_JOB_IRQ] = "irq",
	[KERNEL_JOB_RCU] = "rcu",
	[KERNEL_JOB_MIGRATION] = "migration",
};

bool kernel_jobs_open(struct kernel_jobs *jobs, struct owners *owners)
{
	enum kernel_job job;
	struct labels labels;

	for (job = 0; job < KERNEL_JOBS; job++) {
		naming_unit(&labels, "kernel");
		snprintf(labels.job, sizeof(labels.job), "%s", names[job]);
		jobs->owner[job] = owners_get(owners, &labels);
		if (!jobs->owner[job])
			return false;
		jobs->owner[job]->cgroups++; /* as if it had one, so that it stays */
		if (job != KERNEL_JOB_OTHER)
			owners_hide(owners, jobs->owner[job]);
	}
	return true;
}
