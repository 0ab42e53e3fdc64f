/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tasks of a slot do with their time. A task is in one state at a time: the one that the
 * scheduler says when it leaves the CPU, until the next event of the task.
 */
#ifndef BRAMBLE_PROBE_TIMES_H
#define BRAMBLE_PROBE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "bramble/cells.h"

struct probe;

enum time_state {
	TIME_RUNNING,	/* on a CPU */
	TIME_RUNNABLE,	/* waits for one */
	TIME_THROTTLED, /* the same, but its CPU went idle: SINCE_THROTTLED */
	TIME_BLOCKED,	/* as many as BLOCKED_CAUSES: by enum blocked_cause */
	TIME_MEMORY = TIME_BLOCKED + BLOCKED_MEMORY,
	TIME_DIRTY = TIME_BLOCKED + BLOCKED_DIRTY,
	TIME_FSYNC = TIME_BLOCKED + BLOCKED_FSYNC,
	TIME_DISK = TIME_BLOCKED + BLOCKED_DISK,
	TIME_UNEXPLAINED = TIME_BLOCKED + BLOCKED_OTHER,
	TIME_SLEEP = TIME_BLOCKED + BLOCKED_CAUSES, /* all else; the probe does not measure it */
	TIME_STATES,
};

struct probe_times {
	uint64_t ns[TIME_SLEEP];
	uint64_t tasks, at_ns; /* struct lives, of all CPUs */
	uint64_t changes;      /* how often these changed. Wraps at 2^32 on each CPU */
};

/*
 * Reads the times of a slot that have ended. Those of a task that runs end when it leaves the CPU.
 * Returns false if the kernel is just changing them, or without memory: try again later.
 */
bool probe_read_times(struct probe *probe, unsigned int slot, struct probe_times *times);

/*
 * Adds the times that are under way at now_ns (CLOCK_MONOTONIC), to those of their slots. times:
 * one for each slot. What is just changing may be missing, or be of the wrong slot.
 */
void probe_add_under_way(const struct probe *probe, uint64_t now_ns, struct probe_times *times);

/* For sched.c. Forgets the slots that are freed now, where a task is known to be in one of them. */
void probe_forget_freed(const struct probe *probe, struct task_set *sets);

#endif
