/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the time of an owner's tasks goes, to the last second: what the probe measures (times.h of
 * the probe), what is under way, and sleep. Sleep is what is left of the tasks' lifetimes. So all
 * that the probe loses is sleep.
 *
 * How many tasks there are is known from events: who comes and who goes. The files of the cgroups
 * say how many there were before, and from time to time whether the number is right (headcount.h).
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_TIMES_H
#define BRAMBLE_METRICS_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/times.h"

struct owner;
struct owners;

/* Kept for each owner. All of it adds up when two owners become one. */
struct task_times {
	struct probe_times sum; /* what its slots have counted so far, and have under way: */
	uint64_t under_way[TIME_SLEEP];
	uint64_t shown[TIME_STATES]; /* what its ledger has, and what was before it was counted */
	bool counted;		     /* its tasks are known. Before, nothing is shown */
	struct headcount_of {
		uint64_t at_ns;	   /* CLOCK_MONOTONIC, the last count; 0: there was none */
		uint64_t right_ns; /* the last one that was right */
		uint64_t changes;  /* sum.changes then */
		int64_t more;	   /* how many more tasks it found than were known */
		bool running;	   /* a count is under way: */
		bool present;	   /* there is a cgroup that can be counted */
		int64_t found;
	} headcount;
};

/* Adds what a slot has counted between two readings. */
void times_add(struct task_times *times, const struct probe_times *now,
	       const struct probe_times *before);

void times_merge(struct task_times *to, const struct task_times *from);

/* So many tasks more are there since at_ns (CLOCK_MONOTONIC) than events have told. */
void times_add_tasks(struct task_times *times, uint64_t at_ns, int64_t tasks);

/* The tasks are known. What they have done up to now_ns is not shown. */
void times_begin(struct task_times *times, uint64_t now_ns);

/*
 * Adds to an owner's ledger what has grown by now_ns. A state never falls: what was shown too
 * early, because the reading caught a change, is not shown again. Returns false without memory: the
 * next time adds it.
 */
bool times_show(struct owner *owner, uint64_t now_ns);

#endif
