/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tasks, since when each of them waits for a CPU or is blocked, and the slot of its cgroup. For
 * sched.bpf.c alone.
 */
#ifndef BRAMBLE_SCHED_TASKS_BPF_H
#define BRAMBLE_SCHED_TASKS_BPF_H

#include <stdbool.h>

#include "blocked.bpf.h"
#include "hist.bpf.h"
#include "sched.bpf.h"

/* User space maps it: what is under way is counted when it is read. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TASK_SETS);
	__type(key, __u32);
	__type(value, struct task_set);
} task_sets SEC(".maps");

/* The probe blocked runs. */
const volatile bool blocked_on;

static __always_inline void count_lost(enum sched_lost reason)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct sched_cpu *c = bpf_map_lookup_elem(&sched_cpus, &cpu);

	if (c)
		shared_add(&c->lost[reason], 1);
}

static __always_inline struct task_set *task_set_of(__u64 key)
{
	__u32 index = hash_u64(key, TASK_SET_BITS);

	return bpf_map_lookup_elem(&task_sets, &index);
}

static __always_inline __u32 task_way(const struct task_set *set, __u64 key)
{
	_Static_assert(TASK_WAYS == SET_WAYS, "way_of() looks at all");
	return way_of(set->key, key);
}

/* Which way is given away first: the lower, the earlier. One that waits for a CPU comes last. */
static __always_inline __u64 way_rank(__u64 since_ns)
{
	return since_ns ? since_ns ^ SINCE_BLOCKED : 0;
}

/*
 * Gives a new task a way of its set: that of a task that neither waits nor is blocked; or else of
 * the one that was blocked longest; or else of the one that has waited longest. since_ns may be
 * with SINCE_BLOCKED. A blocked task does not take the way of one that waits.
 */
static __noinline int task_add(__u64 key, __u64 since_ns, __u8 marks)
{
	struct task_set *set = task_set_of(key);
	__u32 way = 0;

	if (!set)
		return 0;
	if (way_rank(set->since_ns[1]) < way_rank(set->since_ns[0]))
		way = 1;
	if (way_rank(set->since_ns[2]) < way_rank(set->since_ns[way]))
		way = 2;
	if ((__s64)set->since_ns[way] < 0) {
		blocked_count_lost(BLOCKED_LOST_COLLISION);
	} else if (set->since_ns[way]) {
		if ((__s64)since_ns < 0) {
			blocked_count_lost(BLOCKED_LOST_COLLISION);
			return 0;
		}
		count_lost(SCHED_LOST_COLLISION);
	}
	set->key[way] = key;
	set->since_ns[way] = since_ns;
	set->known_slot[way] = 0;
	set->marks[way] = marks;
	return 0;
}

/* The current task is blocked from now on. */
static __noinline int block_begin(__u64 key, __u64 now)
{
	struct task_set *set = task_set_of(key);
	__u32 way = set ? task_way(set, key) : TASK_WAYS;
	__u8 cause = blocked_cause() << TASK_CAUSE_SHIFT;

	if (!set || way == TASK_WAYS)
		return task_add(key, now | SINCE_BLOCKED, cause);
	set->since_ns[way] = now | SINCE_BLOCKED;
	set->marks[way] = (set->marks[way] & TASK_USER) | cause;
	return 0;
}

/* A task that was blocked since then wakes up, or a new one has its key. */
static __noinline int block_end(const struct task_set *set, __u32 way, __u64 since_ns, __u64 now,
				bool is_new)
{
	known_slot_t known;
	__u64 key;

	if (!set || way >= TASK_WAYS)
		return 0;
	known = set->known_slot[way];
	key = set->key[way];
	if (is_new)
		blocked_count_lost(BLOCKED_LOST_NO_WAKEUP);
	else
		blocked_end(key, now - (since_ns & ~SINCE_BLOCKED),
			    known ? slot_known(known ^ key_mark(key)) : SLOT_OVERFLOW,
			    set->marks[way] >> TASK_CAUSE_SHIFT);
	return 0;
}

#define KTHREADD 2 /* the process that creates all kernel threads: rest_init(), init/main.c */

/*
 * A task waits from now on, and is not blocked any more. The key of a new task may have belonged to
 * a task that is gone. Then what was known of that task is forgotten. since: now, or with
 * SINCE_THROTTLED.
 */
static __always_inline void wait_begin(__u64 key, __u64 since, bool is_new)
{
	struct task_set *set = task_set_of(key);
	bool user = false;
	__u64 since_ns;
	__u32 way;

	if (!set)
		return;
	/* When a task first wakes up, the current task is the one that created it. */
	if (is_new) {
		user = (__u32)bpf_get_current_pid_tgid() != KTHREADD;
		if (blocked_on)
			blocked_forget(key);
	}
	way = task_way(set, key);
	if (way == TASK_WAYS) {
		task_add(key, since, user);
		return;
	}
	since_ns = set->since_ns[way];
	set->since_ns[way] = since;
	if ((__s64)since_ns < 0 && blocked_on)
		block_end(set, way, since_ns, since & ~SINCE_THROTTLED, is_new);
	if (is_new) {
		set->known_slot[way] = 0;
		set->marks[way] = user;
	}
}

#endif
