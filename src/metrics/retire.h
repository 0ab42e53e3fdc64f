/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What becomes of cgroups that were removed. One in which nothing was counted is forgotten at once:
 * a process that makes and removes empty cgroups leaves nothing behind. What was counted stays with
 * its owner until it was read, and for --retain. When there are too many, the oldest go sooner. One
 * thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_RETIRE_H
#define BRAMBLE_METRICS_RETIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/members.h"
#include "metrics/naming.h"
#include "metrics/usage.h"
#include "util/trim.h"

/* What no reader has seen is forgotten after this many times --retain. */
#define RETAIN_UNREAD 12

struct retire {
	struct members *members;
	struct owners *owners;
	struct naming *naming;
	struct usage *usage;
	bool (*has_slot)(const void *context, uint64_t cgroup); /* of its own, in the kernel */
	const void *context;
	uint64_t retain_ns; /* how long what was counted stays after the end of its cgroup */
	struct trim trim;   /* of what is freed here */
	uint64_t unread;    /* owners that had to go before they were read */
};

/*
 * Forgets cgroups that were removed a moment ago and counted nothing, and keeps the others. Cheap
 * if there are none. now_ns: CLOCK_MONOTONIC.
 */
void retire_removed(struct retire *retire, uint64_t now_ns);

/* When that is due again, CLOCK_MONOTONIC; UINT64_MAX: not until another cgroup is removed. */
uint64_t retire_due_ns(const struct retire *retire);

/*
 * Forgets what was kept for long enough. When there are too many cgroups or owners, what was read
 * goes first, and then what was not read: its counts that no reader has seen are those of
 * unit="overflow" from now on. So each count is shown, and once.
 */
void retire_kept(struct retire *retire, uint64_t now_ns);

#endif
