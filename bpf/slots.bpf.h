/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroup slots. A cgroup gets its slot when a program counts for it the first
 * time; user space gives slots of removed cgroups back.
 */
#ifndef BRAMBLE_SLOTS_BPF_H
#define BRAMBLE_SLOTS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bramble/cells.h"

/* The cgroup id of each slot; 0 when the slot is free. User space maps it. */
struct slot_cgroups_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, __u64);
};
extern struct slot_cgroups_map slot_cgroups SEC(".maps");

/* What was lost, by enum cgroup_lost. Written with atomics, read by user space. */
extern __u64 cgroup_lost[CGROUP_LOST_REASONS];

/* Where a cgroup's slot probably is; slot_cgroups tells whether it is true. */
#define SLOT_HINT_BITS 12
extern __u16 slot_hints[1 << SLOT_HINT_BITS];

/*
 * The slow path: looks the cgroup up in the map of all slots and gives it a
 * free slot if it has none. Returns SLOT_OVERFLOW, and counts it, if no slot
 * is left. May be called in any context.
 */
__u32 slot_find(__u64 cgroup_id);

/* 2^64 / golden ratio: spreads neighbouring ids (Knuth, TAOCP 6.4). */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

static __always_inline __u64 hash_u64(__u64 key, __u32 bits)
{
	return (key * HASH_FACTOR) >> (64 - bits);
}

/* The slot of a cgroup. */
static __always_inline __u32 slot_of(__u64 id)
{
	__u32 slot = slot_hints[hash_u64(id, SLOT_HINT_BITS)];
	__u64 *owner = bpf_map_lookup_elem(&slot_cgroups, &slot);

	if (owner && *owner == id)
		return slot;
	return slot_find(id);
}

/* The slot of the current task's cgroup. */
static __always_inline __u32 slot_of_current(void)
{
	return slot_of(bpf_get_current_cgroup_id());
}

#endif
