/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the sched programs know of each CPU, for the other probes. */
#ifndef BRAMBLE_SCHED_BPF_H
#define BRAMBLE_SCHED_BPF_H

#include "slots.bpf.h"

struct sched_cpus_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct sched_cpu);
};
extern struct sched_cpus_map sched_cpus SEC(".maps");

/*
 * Grows by SLOTS_MAX whenever a task may have moved to another cgroup. A slot that is known from an
 * earlier generation is then looked up again.
 */
extern __u32 membership_generation;

/* The slot. SLOT_OVERFLOW, which is never kept, if it is not known or from another generation. */
static __always_inline __u32 slot_known(known_slot_t known)
{
	__u32 slot = known ^ membership_generation;

	return slot < SLOTS_MAX ? slot : SLOT_OVERFLOW;
}

/*
 * The slot of the current task's cgroup. If the sched probe runs, this needs no call of a helper:
 * the sched probe knows the slot of the task that it saw being switched in. Only for process
 * context. ctx: the program's.
 */
static __always_inline __u32 slot_of_running(void *ctx, __u32 cpu)
{
	struct sched_cpu *c = bpf_map_lookup_elem(&sched_cpus, &cpu);
	__u32 slot = slot_known(c ? c->known_slot : 0);

	return slot == SLOT_OVERFLOW ? slot_of_current(ctx) : slot;
}

#endif
