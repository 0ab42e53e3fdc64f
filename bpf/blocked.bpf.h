/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Blocked time: how long tasks were in uninterruptible sleep (D), which is not idle: they wait for
 * a disk, a page, or a lock of the kernel.
 *
 * The sched programs see both ends. The beginning is kept where the beginning of a wait for a CPU
 * is, as a task is never in both. At the wakeup, the current task is the one that wakes. So the
 * cgroup is the one whose slot is known of the task itself. If no slot is known, the time is put
 * aside until the task leaves the CPU next, when it is the current one.
 */
#ifndef BRAMBLE_BLOCKED_BPF_H
#define BRAMBLE_BLOCKED_BPF_H

#include <stdbool.h>

#include "bramble/cells.h"
#include "hist.bpf.h"

/* The states of a task, include/linux/sched.h: the same from 4.14 on. */
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_DEAD	     0x0080
#define TASK_NOLOAD	     0x0400 /* with the former it is TASK_IDLE, which is sleep */

/*
 * Whether a task of this state is blocked. Since 6.1 (f5d39b020809), a frozen task has a state of
 * its own.
 */
static __always_inline bool state_is_blocked(__u32 state)
{
	return (state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) == TASK_UNINTERRUPTIBLE;
}

/* Losses, by enum blocked_lost. Written with atomics, read by user space. */
extern __u64 blocked_lost[BLOCKED_LOST_REASONS];

static __always_inline void blocked_count_lost(enum blocked_lost reason)
{
	shared_add(&blocked_lost[reason], 1);
}

/* Why the current task is about to be blocked: enum blocked_cause. */
int blocked_cause(void);

/*
 * A task wakes up that was blocked for so long. slot: of its cgroup, or SLOT_OVERFLOW if it is not
 * known.
 */
int blocked_end(__u64 key, __u64 ns, __u32 slot, __u32 cause);

/* Counts what was put aside of the current task. slot: of its cgroup. */
int blocked_take(__u64 key, __u32 slot);

/* A new task has the key of one that is gone. */
int blocked_forget(__u64 key);

#endif
