/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroup slots. A cgroup gets its slot when a program counts for it the first
 * time; user space gives slots of removed cgroups back.
 */
#ifndef BRAMBLE_SLOTS_BPF_H
#define BRAMBLE_SLOTS_BPF_H

#include <stdbool.h>

#include "vmlinux.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

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

/* include/linux/sched.h, the same since 2.6.27 */
#define PF_KTHREAD 0x00200000

/*
 * Whether the current task is a thread of the kernel's. Each of these is a process of its own, so
 * other threads than the first of a process are none, an io_uring's workers among them. With BTF
 * its flags say the rest. Without it no field is read: only a task that has user memory has a
 * place in it where it was interrupted, which is as much of a stack as is asked for here. That
 * takes a user's process that has given its memory back, as it exits, for the kernel's (before
 * 6.18, 16ed389227651); who can know better asks first: slot_learn() in sched.bpf.c. And a thread
 * of the kernel's that has borrowed a user's memory for now (kthread_use_mm()) for a user's.
 */
static __always_inline bool current_is_kernel(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), place;

	if (id >> 32 != (__u32)id)
		return false;
	if (bpf_core_field_exists(struct task_struct, flags)) {
		struct task_struct *task = (void *)bpf_get_current_task();

		return BPF_CORE_READ(task, flags) & PF_KTHREAD;
	}
	return bpf_get_stack(ctx, &place, sizeof(place), BPF_F_USER_STACK) <= 0;
}

/*
 * The slot of the current task's cgroup; the kernel's own for a thread of the kernel's in the root
 * cgroup. user: it is known to be none. ctx: the program's.
 */
static __always_inline __u32 slot_of_task(void *ctx, bool user)
{
	__u64 id = bpf_get_current_cgroup_id();

	if (id == ROOT_CGROUP_ID && !user && current_is_kernel(ctx))
		id = KERNEL_CGROUP_ID;
	return slot_of(id);
}

static __always_inline __u32 slot_of_current(void *ctx)
{
	return slot_of_task(ctx, false);
}

#endif
