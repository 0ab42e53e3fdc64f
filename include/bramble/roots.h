/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counting roots: the cgroups by which the programs decide whose slot a nested cgroup counts in.
 * User space tells the programs which ones there are. Shared by both sides.
 */
#ifndef BRAMBLE_ROOTS_H
#define BRAMBLE_ROOTS_H

#include <linux/types.h>

enum slot_root_kind {
	SLOT_ROOT_NONE,
	/* Its children are pods, and their children containers: a container has one slot. */
	SLOT_ROOT_PODS,
	/* A pod's container that is not a child of its pod. It has one slot. */
	SLOT_ROOT_CONTAINER,
	/* A unit. Below it may be containers that are not known yet. So it has a quota. */
	SLOT_ROOT_UNIT,
	/* The same, but its children are units of their own, which count in its quota. */
	SLOT_ROOT_PARENT,
	/* A container or a unit that has a name of its own below a unit, and counts in its quota.
	 */
	SLOT_ROOT_MEMBER,
};

/*
 * How many slots a pod or a unit may have besides its own and those of the pod's containers. For
 * others they share the slot of the container or the unit.
 */
#define SLOT_NESTED_MAX	 8

/* The same for what has a name of its own below a unit: the containers of a user, say. */
#define SLOT_MEMBERS_MAX 64

/* Roots are looked for in so many levels below the root of the hierarchy. */
#define SLOT_ROOT_LEVELS 16

struct slot_root {
	__u64 group;  /* SLOT_ROOT_MEMBER: the unit whose quota it counts in */
	__u32 kind;   /* enum slot_root_kind */
	__u32 nested; /* of a unit: slots that count in its quota */
};

/* Whose slot a nested cgroup counts in, where the programs cannot find that out themselves. */
struct slot_alias {
	__u64 home;
	__u64 group; /* as in slot_groups */
};

/* How the programs know the ancestors of a cgroup. */
enum slot_ancestors {
	SLOT_ANCESTORS_UNKNOWN, /* not at all: user space tells, by struct slot_alias */
	SLOT_ANCESTORS_HELPER,	/* bpf_get_current_ancestor_cgroup_id(), and the kernel's types */
	SLOT_ANCESTORS_TYPES,	/* the kernel's types alone */
};

#endif
