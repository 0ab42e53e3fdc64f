/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "hist.bpf.h"
#include "slots.bpf.h"

struct slot_cgroups_map slot_cgroups SEC(".maps");

__u16 slot_hints[1 << SLOT_HINT_BITS];

__u64 cgroup_lost[CGROUP_LOST_REASONS];

/* Which cgroup has which slot: cgroup id -> slot. slot_hints may be wrong; this is not. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u64);
	__type(value, __u32);
} slot_by_cgroup SEC(".maps");

/*
 * The free slots. In a stack, so that the slots in use are the lowest ones. Besides, popping is
 * atomic even on kernels whose BPF has no fetching atomics (arm64 before 5.12). User space fills
 * it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(value, __u32);
} slot_free SEC(".maps");

__noinline __u32 slot_find(__u64 cgroup_id)
{
	__u32 *known, slot;
	__u64 *owner;

	known = bpf_map_lookup_elem(&slot_by_cgroup, &cgroup_id);
	if (!known) {
		if (bpf_map_pop_elem(&slot_free, &slot))
			goto overflow;
		owner = bpf_map_lookup_elem(&slot_cgroups, &slot);
		if (owner &&
		    !bpf_map_update_elem(&slot_by_cgroup, &cgroup_id, &slot, BPF_NOEXIST)) {
			/* Only the CPU that added it writes here. Another may be late, and the slot
			 * may belong to another cgroup by then. */
			*owner = cgroup_id;
			goto found;
		}
		/* Another CPU was first, or the map is full. */
		bpf_map_push_elem(&slot_free, &slot, 0);
		known = bpf_map_lookup_elem(&slot_by_cgroup, &cgroup_id);
		if (!known)
			goto overflow;
	}
	slot = *known;
found:
	slot_hints[hash_u64(cgroup_id, SLOT_HINT_BITS)] = slot;
	return slot;

overflow:
	shared_add(&cgroup_lost[CGROUP_LOST_NO_SLOT], 1);
	return SLOT_OVERFLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
