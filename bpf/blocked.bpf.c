/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is counted of blocked tasks. All CPUs share the cells: a task is blocked on none of them. */
#include "blocked.bpf.h"
#include "slots.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct blocked_cell);
} blocked_cells SEC(".maps");

/* What was put aside: by a hash of the task's key, one of a set of tasks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TASK_SETS);
	__type(key, __u32);
	__type(value, struct blocked_aside);
} blocked_asides SEC(".maps");

__u64 blocked_lost[BLOCKED_LOST_REASONS];
__u64 blocked_events;

static __always_inline struct blocked_aside *aside_of(__u64 key)
{
	__u32 index = hash_u64(key, TASK_SET_BITS);

	return bpf_map_lookup_elem(&blocked_asides, &index);
}

static __always_inline void count(__u32 slot, __u64 ns)
{
	struct blocked_cell *cell = bpf_map_lookup_elem(&blocked_cells, &slot);

	if (cell)
		hist_add_shared(&cell->blocked, ns);
}

static __always_inline void put_aside(__u64 key, __u64 ns)
{
	struct blocked_aside *aside = aside_of(key);

	if (!aside)
		return;
	if (aside->key)
		blocked_count_lost(BLOCKED_LOST_COLLISION);
	aside->ns = ns;
	aside->key = key;
}

int blocked_end(__u64 key, __u64 since_ns, __u64 now, __u32 slot)
{
	__u64 ns = now - (since_ns & ~SINCE_BLOCKED);

	shared_add(&blocked_events, 1);
	if ((__s64)ns < 0)
		blocked_count_lost(BLOCKED_LOST_CLOCK);
	else if (slot == SLOT_OVERFLOW)
		put_aside(key, ns);
	else
		count(slot, ns);
	return 0;
}

int blocked_take(__u64 key, __u32 slot)
{
	struct blocked_aside *aside = aside_of(key);

	if (aside && aside->key == key) {
		aside->key = 0;
		count(slot, aside->ns);
	}
	return 0;
}

int blocked_forget(__u64 key)
{
	struct blocked_aside *aside = aside_of(key);

	if (aside && aside->key == key) {
		aside->key = 0;
		blocked_count_lost(BLOCKED_LOST_NO_SWITCH);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
