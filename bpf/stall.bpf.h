/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A stall is something that a task begins and ends itself, with no other stall of the same kind in
 * between. Both ends run in the task's context. So the cgroup is the current one, and the beginning
 * is stored under the thread's id.
 */
#ifndef BRAMBLE_STALL_BPF_H
#define BRAMBLE_STALL_BPF_H

#include "hist.bpf.h"
#include "pressure.bpf.h"

/* The threads that are stalled: struct stall_set. */
struct stalls_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, STALL_SETS);
	__type(key, __u32);
	__type(value, struct stall_set);
};

static __always_inline struct stall_set *stall_set_of(void *stalls, __u64 thread, __u32 choice)
{
	__u32 index = hash_u64(thread, (choice + 1) * STALL_SET_BITS) & (STALL_SETS - 1);

	return bpf_map_lookup_elem(stalls, &index);
}

/* The way of a thread, STALL_WAYS if it has none. */
static __always_inline __u32 stall_way(const struct stall_set *set, __u64 thread)
{
	if (set->thread[0] == thread)
		return 0;
	if (set->thread[1] == thread)
		return 1;
	if (set->thread[2] == thread)
		return 2;
	return STALL_WAYS;
}

/* The way of a thread that is not stalled, STALL_WAYS if all are. */
static __always_inline __u32 stall_free_way(const struct stall_set *set)
{
	if (!set->since_ns[0])
		return 0;
	if (!set->since_ns[1])
		return 1;
	if (!set->since_ns[2])
		return 2;
	return STALL_WAYS;
}

/* Finds a thread: its set, and its way there. STALL_WAYS if it has none. */
static __always_inline __u32 stall_find(void *stalls, __u64 thread, struct stall_set **found)
{
	struct stall_set *set = stall_set_of(stalls, thread, 0);
	__u32 way = set ? stall_way(set, thread) : STALL_WAYS;

	if (way == STALL_WAYS) {
		set = stall_set_of(stalls, thread, 1);
		way = set ? stall_way(set, thread) : STALL_WAYS;
	}
	*found = set;
	return way;
}

/* Finds a way for a thread that has none. */
static __always_inline __u32 stall_place(void *stalls, __u64 thread, struct stall_set **found)
{
	struct stall_set *set = stall_set_of(stalls, thread, 0);
	__u32 way = set ? stall_free_way(set) : STALL_WAYS;

	if (way == STALL_WAYS) {
		set = stall_set_of(stalls, thread, 1);
		way = set ? stall_free_way(set) : STALL_WAYS;
	}
	*found = set;
	return way;
}

/* The pod or unit of the current task, as pair_group() has it. */
static __always_inline __u32 stall_group(void *ctx)
{
	__u32 slot = slot_of_current(ctx);
	__u64 *id = bpf_map_lookup_elem(&slot_groups, &slot);

	return id ? pair_group(*id) : 0;
}

/* User space counts anew, so the numbers may be too low for a moment, and even below zero. */
static __always_inline bool stall_may_begin(const struct stall_counts *counts, __u32 group)
{
	return (__s32)counts->all < STALLS_SHARED || (__s32)counts->of_group[group] < STALLS_QUOTA;
}

/*
 * Begins a stall. If the thread has not ended an earlier one, that one is forgotten. If there is no
 * place, or the thread's pod or unit has its quota, the end of the stall counts as lost.
 */
static __always_inline void stall_begin(void *ctx, void *stalls, struct stall_counts *counts)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 group = stall_group(ctx), way;
	struct stall_set *set;

	if (!stall_may_begin(counts, group))
		return;
	way = stall_find(stalls, thread, &set);
	if (way == STALL_WAYS)
		way = stall_place(stalls, thread, &set);
	if (way == STALL_WAYS || !set)
		return;
	if (!set->since_ns[way]) {
		shared_add(&counts->all, 1);
		shared_add(&counts->of_group[group], 1);
		set->group[way] = group;
	}
	set->thread[way] = thread;
	set->since_ns[way] = bpf_ktime_get_ns();
}

struct stall {
	__u64 since_ns;
	__u64 until_ns;
};

/* Ends a stall. Returns false, and counts it in lost, if its beginning is not known. */
static __always_inline bool stall_end(void *stalls, struct stall_counts *counts, __u64 *lost,
				      struct stall *stall)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct stall_set *set;
	__u32 way = stall_find(stalls, thread, &set), group;

	if (way == STALL_WAYS || !set || !set->since_ns[way]) {
		shared_add(&lost[STALL_LOST_NO_BEGINNING], 1);
		return false;
	}
	stall->since_ns = set->since_ns[way];
	stall->until_ns = bpf_ktime_get_ns();
	group = set->group[way] & (PAIR_GROUPS - 1);
	set->since_ns[way] = 0;
	shared_add(&counts->all, -1);
	shared_add(&counts->of_group[group], -1);
	if (stall->until_ns < stall->since_ns) {
		shared_add(&lost[STALL_LOST_CLOCK], 1);
		return false;
	}
	return true;
}

/* Counts a stall for a slot, in the histogram and in the pressure. */
static __always_inline void stall_count(const struct stall *stall, enum pressure_resource of,
					__u32 slot, struct hist *hist)
{
	hist_add_shared(hist, stall->until_ns - stall->since_ns);
	pressure_add(of, bpf_get_smp_processor_id(), slot, stall->since_ns, stall->until_ns);
}

#endif
