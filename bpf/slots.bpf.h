/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Cgroup slots. A cgroup gets its slot when a program first counts something for it. What is nested
 * in a container shares the container's slot: bramble/roots.h. User space takes slots back.
 */
#ifndef BRAMBLE_SLOTS_BPF_H
#define BRAMBLE_SLOTS_BPF_H

#include <stdbool.h>

#include "vmlinux.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "bramble/cells.h"
#include "bramble/roots.h"

/* The cgroup id of each slot; 0 when the slot is free. User space maps it. */
struct slot_cgroups_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, __u64);
};
extern struct slot_cgroups_map slot_cgroups SEC(".maps");

/*
 * The pod or the unit of each slot: the id of its cgroup. For a cgroup of neither, its own. Valid
 * while the slot has a cgroup. User space maps it.
 */
struct slot_groups_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, __u64);
};
extern struct slot_groups_map slot_groups SEC(".maps");

/* The counting roots, by the id of their cgroup. User space adds them. */
struct slot_roots_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set by the loader */
	__type(key, __u64);
	__type(value, struct slot_root);
};
extern struct slot_roots_map slot_roots SEC(".maps");

/* Only for SLOT_ANCESTORS_UNKNOWN. User space adds them. */
struct slot_aliases_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set by the loader */
	__type(key, __u64);
	__type(value, struct slot_alias);
};
extern struct slot_aliases_map slot_aliases SEC(".maps");

/* Lost samples and events, by enum cgroup_lost. Written with atomics, read by user space. */
extern __u64 cgroup_lost[CGROUP_LOST_REASONS];

/* The slot that a cgroup probably has. slot_cgroups shows whether that is true. */
#define SLOT_HINT_BITS 12
extern __u16 slot_hints[1 << SLOT_HINT_BITS];

/* In place of a struct cgroup's address: it is the current task's. */
#define SLOT_OF_CURRENT 1

/*
 * The slow path: looks up the cgroup in the map of all slots. If it has none, it gets the slot of
 * the container or the unit that it is nested in, or a free one. If no slot is left, that is
 * counted, and this returns SLOT_OVERFLOW. For any context.
 *
 * cgroup: the address of its struct cgroup, by which its ancestors are known; SLOT_OF_CURRENT; or
 * 0 if it is known to be no nested cgroup: it has or had a slot of its own.
 */
__u32 slot_find(__u64 cgroup_id, __u64 cgroup);

/* The slot of the current task, a thread of the kernel in the root cgroup: that of its job. */
__u32 slot_of_kernel_thread(void);

/* 2^64 / golden ratio: spreads neighbouring ids (Knuth, TAOCP 6.4). */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

static __always_inline __u64 hash_u64(__u64 key, __u32 bits)
{
	return (key * HASH_FACTOR) >> (64 - bits);
}

#define SET_WAYS 3

/* The way of a key in a set, or SET_WAYS if it is not there. */
static __always_inline __u32 way_of(const __u64 keys[SET_WAYS], __u64 key)
{
	if (keys[0] == key)
		return 0;
	if (keys[1] == key)
		return 1;
	if (keys[2] == key)
		return 2;
	return SET_WAYS;
}

/* The slot of a cgroup. cgroup: as for slot_find(). */
static __always_inline __u32 slot_of(__u64 id, __u64 cgroup)
{
	__u32 slot = slot_hints[hash_u64(id, SLOT_HINT_BITS)];
	__u64 *owner = bpf_map_lookup_elem(&slot_cgroups, &slot);

	if (owner && *owner == id)
		return slot;
	return slot_find(id, cgroup);
}

/* include/linux/sched.h, the same since 2.6.27 */
#define PF_KTHREAD 0x00200000

/*
 * Whether the current task is a kernel thread. Each kernel thread is a process of its own. So a
 * thread that is not the first of its process is not one, and neither are the workers of io_uring.
 *
 * With BTF, the task's flags say the rest. Without BTF no field is read. Instead, this asks for a
 * user stack of one entry: a task with user memory has a place in it where it was interrupted.
 *
 * That can be wrong in two ways. Before 6.18 (16ed389227651), a user process that is exiting and
 * has given its memory back looks like a kernel thread; slot_learn() in sched.bpf.c knows better,
 * and says so. And a kernel thread that has borrowed a user's memory (kthread_use_mm()) looks like
 * a user's task.
 */
static __always_inline bool current_is_kernel(void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	/* In raw tracepoints, the verifiers of 5.10 and 6.1 want memory that was written. */
	__u64 place = 0;

	if (id >> 32 != (__u32)id)
		return false;
	if (bpf_core_field_exists(struct task_struct, flags)) {
		struct task_struct *task = (void *)bpf_get_current_task();

		return BPF_CORE_READ(task, flags) & PF_KTHREAD;
	}
	return bpf_get_stack(ctx, &place, sizeof(place), BPF_F_USER_STACK) <= 0;
}

/*
 * The slot of the current task's cgroup. A kernel thread in the root cgroup gets a slot of the
 * kernel's own. user: the task is known not to be a kernel thread. ctx: the program's.
 */
static __always_inline __u32 slot_of_task(void *ctx, bool user)
{
	__u64 id = bpf_get_current_cgroup_id();

	if (id == ROOT_CGROUP_ID && !user && current_is_kernel(ctx))
		return slot_of_kernel_thread();
	return slot_of(id, SLOT_OF_CURRENT);
}

static __always_inline __u32 slot_of_current(void *ctx)
{
	return slot_of_task(ctx, false);
}

#endif
