/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts the tasks of owners in the files of their cgroups: once those that were there before the
 * probe was; and then whether the number that is known from events is right. That is done at each
 * call if tasks have come or gone, and once a minute if none has.
 *
 * An event may just be happening, so one difference says nothing. If the next count finds the same
 * one, events were missed. It is put right as if they had happened in the middle between the last
 * right count and the first wrong one, and counted as lost. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_HEADCOUNT_H
#define BRAMBLE_METRICS_HEADCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/members.h"
#include "metrics/owners.h"
#include "metrics/slots.h"

struct headcount {
	const char *cgroupfs; /* where cgroup v2 is mounted; must outlive it */
	unsigned int fewer;   /* owners at a time than could be, as they took long */
	uint64_t last_id;     /* of owners, where the next round goes on; 0: at the first */
	uint64_t lost;	      /* tasks that came or went unseen, as far as counts have found out */
};

/*
 * Counts the tasks of the owners that are due, a bounded number of them. tops: the uppermost cgroup
 * of each (cgroup/tops.h). now_ns: CLOCK_MONOTONIC.
 */
void headcount_run(struct headcount *headcount, struct owners *owners, struct slots *slots,
		   struct cgroup *const *tops, size_t count, uint64_t now_ns);

#endif
