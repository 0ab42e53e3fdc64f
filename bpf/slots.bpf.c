/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "hist.bpf.h"
#include "slots.bpf.h"

struct slot_cgroups_map slot_cgroups SEC(".maps");
struct slot_groups_map slot_groups SEC(".maps");
struct slot_roots_map slot_roots SEC(".maps");
struct slot_aliases_map slot_aliases SEC(".maps");

__u16 slot_hints[1 << SLOT_HINT_BITS];

__u64 cgroup_lost[CGROUP_LOST_REASONS];

/* How many slots were taken and are not free again. User space subtracts those that it frees. */
__u32 slots_used;

/* enum slot_ancestors. Set by the loader. */
const volatile __u32 slot_ancestors;

/* Whether the threads of the kernel are told apart by their jobs. Set by the loader. */
const volatile bool slot_kernel_jobs;

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

/* ---- where a cgroup is */

/* The struct cgroup of the current task, by the kernel's types. */
static __always_inline __u64 cgroup_of_current(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!bpf_core_field_exists(struct task_struct, cgroups))
		return 0;
	return (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

/*
 * The id of a cgroup's ancestor, by the kernel's types. Since 4.19; pointers since 6.1. The
 * barriers keep the compiler from computing places of fields that the kernel may not have, outside
 * of a loop.
 */
static __always_inline __u64 ancestor_by_types(__u64 cgroup, __u32 level)
{
	struct cgroup *ancestor = NULL;
	__u64 id = 0;

	if (!cgroup || !bpf_core_field_exists(struct cgroup, level))
		return 0;
	barrier_var(cgroup);
	if (level > (__u32)BPF_CORE_READ((struct cgroup *)cgroup, level))
		return 0;
	if (bpf_core_field_exists(struct cgroup, ancestors)) {
		barrier_var(cgroup);
		bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
				      &((struct cgroup *)cgroup)->ancestors[0] + level);
		return ancestor ? BPF_CORE_READ(ancestor, kn, id) : 0;
	}
	if (bpf_core_field_exists(struct cgroup___old, ancestor_ids)) {
		barrier_var(cgroup);
		bpf_probe_read_kernel(&id, sizeof(id),
				      &((struct cgroup___old *)cgroup)->ancestor_ids[0] + level);
	}
	return id;
}

/* The id of an ancestor, or of the cgroup itself; 0 if it is not that deep. The root has level 0.
 */
static __always_inline __u64 ancestor_at(__u64 cgroup, __u32 level)
{
	/* Kernels that lack the helper must see that it is not called. */
	if (slot_ancestors == SLOT_ANCESTORS_HELPER && cgroup == SLOT_OF_CURRENT)
		return bpf_get_current_ancestor_cgroup_id(level);
	return ancestor_by_types(cgroup, level);
}

/* ---- whose slot it counts in */

struct home {
	__u64 id;
	__u64 group; /* see slot_groups */
	__u32 quota; /* its slot counts in the group's quota, which is so much; 0: it does not */
};

/* The deepest root on the way to a cgroup. */
struct place {
	__u64 id;
	__u32 level;
	__u32 kind;
	__u64 group;
};

static __always_inline void find_place(struct place *place, __u64 cgroup)
{
	struct slot_root *root;
	__u32 level;
	__u64 id;

	for (level = 1; level <= SLOT_ROOT_LEVELS; level++) {
		id = ancestor_at(cgroup, level);
		if (!id)
			break;
		root = bpf_map_lookup_elem(&slot_roots, &id);
		if (!root)
			continue;
		place->id = id;
		place->level = level;
		place->kind = root->kind;
		place->group = root->group;
	}
}

/* Whose slot a cgroup counts in: that of the deepest root, or of what is known to be below it. */
static __always_inline void find_home(struct home *home, __u64 cgroup)
{
	struct place place = {};
	__u64 pod;

	find_place(&place, cgroup);
	switch (place.kind) {
	case SLOT_ROOT_PODS:
		pod = ancestor_at(cgroup, place.level + 1);
		if (!pod)
			break;
		home->group = pod;
		home->id = ancestor_at(cgroup, place.level + 2) ?: pod;
		break;
	case SLOT_ROOT_CONTAINER:
		home->id = home->group = place.id;
		break;
	case SLOT_ROOT_UNIT:
		home->group = place.id;
		if (home->id != place.id)
			home->quota = SLOT_NESTED_MAX;
		break;
	case SLOT_ROOT_PARENT:
		home->group = place.id;
		home->id = ancestor_at(cgroup, place.level + 1) ?: place.id;
		if (home->id != place.id)
			home->quota = SLOT_MEMBERS_MAX;
		break;
	case SLOT_ROOT_MEMBER:
		home->id = place.id;
		home->group = place.group;
		home->quota = SLOT_MEMBERS_MAX;
		break;
	}
}

static __always_inline void find_home_told(struct home *home)
{
	struct slot_alias *alias = bpf_map_lookup_elem(&slot_aliases, &home->id);

	if (!alias)
		return;
	home->id = alias->home;
	home->group = alias->group;
}

/* ---- slots */

static __always_inline __u32 slot_known_of(__u64 id)
{
	__u32 *slot = bpf_map_lookup_elem(&slot_by_cgroup, &id);

	return slot ? *slot : SLOT_OVERFLOW;
}

/* Gives a cgroup a free slot, unless it has one. SLOT_OVERFLOW: there is none. */
static __noinline __u32 slot_take(__u64 id, __u64 group)
{
	__u64 *owner, *group_of_slot;
	__u32 slot;

	if (bpf_map_pop_elem(&slot_free, &slot))
		return SLOT_OVERFLOW;
	owner = bpf_map_lookup_elem(&slot_cgroups, &slot);
	group_of_slot = bpf_map_lookup_elem(&slot_groups, &slot);
	if (owner && group_of_slot) {
		*group_of_slot = group;
		if (!bpf_map_update_elem(&slot_by_cgroup, &id, &slot, BPF_NOEXIST)) {
			/* Only the CPU that added it writes here. Another may be late, and the slot
			 * may belong to another cgroup by then. */
			*owner = id;
			shared_add(&slots_used, 1);
			return slot;
		}
	}
	/* Another CPU was first, or the map is full. */
	bpf_map_push_elem(&slot_free, &slot, 0);
	return slot_known_of(id);
}

/* Counts a slot in the quota of its group. If the quota is used up, it is the group's own slot. */
static __always_inline void use_quota(struct home *home)
{
	struct slot_root *root = bpf_map_lookup_elem(&slot_roots, &home->group);

	if (!root)
		return;
	if (root->nested < home->quota) {
		shared_add(&root->nested, 1);
		return;
	}
	shared_add(&cgroup_lost[CGROUP_LOST_QUOTA], 1);
	home->id = home->group;
}

__noinline __u32 slot_find(__u64 cgroup_id, __u64 cgroup)
{
	struct home home = {.id = cgroup_id, .group = cgroup_id};
	__u32 slot = slot_known_of(cgroup_id);

	if (slot != SLOT_OVERFLOW)
		goto found;
	if (slot_ancestors == SLOT_ANCESTORS_TYPES && cgroup == SLOT_OF_CURRENT)
		cgroup = cgroup_of_current();
	if (slot_ancestors == SLOT_ANCESTORS_UNKNOWN)
		find_home_told(&home);
	else if (cgroup)
		find_home(&home, cgroup);
	if (home.id != cgroup_id)
		slot = slot_known_of(home.id);
	if (slot == SLOT_OVERFLOW && home.quota) {
		use_quota(&home);
		slot = slot_known_of(home.id);
	}
	if (slot == SLOT_OVERFLOW)
		slot = slot_take(home.id, home.group);
	if (slot == SLOT_OVERFLOW) {
		shared_add(&cgroup_lost[CGROUP_LOST_NO_SLOT], 1);
		return SLOT_OVERFLOW;
	}
found:
	slot_hints[hash_u64(home.id, SLOT_HINT_BITS)] = slot;
	return slot;
}

/* ---- the kernel's threads */

#define NAME_LEN 16 /* TASK_COMM_LEN */

/* Whether a name begins with a word, which is known at compile time. */
static __always_inline bool begins(const char *name, const char *word)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < NAME_LEN; i++) {
		if (!word[i])
			return true;
		if (name[i] != word[i])
			return false;
	}
	return true;
}

/*
 * A thread of the kernel goes by the beginning of its name, which says what it is for. Only root
 * can change it. A process is not asked for its name: it may call itself what it likes.
 */
static __always_inline enum kernel_job job_of(const char *name)
{
	if (begins(name, "kworker"))
		return KERNEL_JOB_KWORKER;
	if (begins(name, "rcu")) /* rcu_preempt, rcuc/0, rcuog/0, rcuop/0 */
		return KERNEL_JOB_RCU;
	if (begins(name, "ksoftirqd") || begins(name, "ktimers/")) /* the latter on PREEMPT_RT */
		return KERNEL_JOB_KSOFTIRQD;
	if (begins(name, "kswapd"))
		return KERNEL_JOB_KSWAPD;
	if (begins(name, "kcompactd") || begins(name, "khugepaged"))
		return KERNEL_JOB_KCOMPACTD;
	if (begins(name, "jbd2/"))
		return KERNEL_JOB_JBD2;
	if (begins(name, "btrfs-") || begins(name, "f2fs_") || begins(name, "xfs"))
		return KERNEL_JOB_FILESYSTEM;
	if (begins(name, "mmcqd/") || begins(name, "loop") || begins(name, "dmcrypt") ||
	    begins(name, "md") || begins(name, "scsi_") || begins(name, "usb-storage"))
		return KERNEL_JOB_DISK; /* mmcqd: before 4.16, and vendors' kernels */
	if (begins(name, "irq/") || begins(name, "napi/"))
		return KERNEL_JOB_IRQ;
	if (begins(name, "migration/"))
		return KERNEL_JOB_MIGRATION;
	return KERNEL_JOB_OTHER;
}

__noinline __u32 slot_of_kernel_thread(void)
{
	char name[NAME_LEN] = {};
	__u32 slot;

	if (!slot_kernel_jobs || bpf_get_current_comm(name, sizeof(name)))
		return slot_of(KERNEL_CGROUP_ID, 0);
	slot = slot_of(KERNEL_JOB_ID(job_of(name)), 0);
	/* If no slot is left for a job, the kernel's first one has it. */
	return slot == SLOT_OVERFLOW ? slot_of(KERNEL_CGROUP_ID, 0) : slot;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
