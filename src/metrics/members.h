/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cgroups of the registry, each with what this folder knows of it. Events of the kernel tell
 * which cgroups are made and removed. Walks find what was there before, and what the events missed.
 * One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_MEMBERS_H
#define BRAMBLE_METRICS_MEMBERS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/cells.h"
#include "cgroup/registry.h"
#include "cgroup/view.h"
#include "metrics/owners.h"

struct cgroup_usage;

/* Whose cgroups belong together. What does not apply is empty, and the rest of the array is 0. */
struct kin_key {
	char pod_uid[POD_UID_SIZE];
	char container_id[CONTAINER_ID_SIZE];
};

/*
 * The cgroups of one container: its own, and those nested in it. Or those of one pod that are in no
 * container. They have one name and one owner. A unit's cgroups have no kin.
 */
struct kin {
	struct kin_key key;
	struct kin *pod;	/* that the container is in; NULL: it is in none, or is a pod */
	struct kin *containers; /* of the pod, a list */
	struct kin *before, *after;
	struct member *members; /* a list: the oldest first */
	unsigned int count;	/* of them */

	/* Kept by naming.c */
	struct owner *owner; /* of all its members that have one; NULL: none has */
	unsigned int owned;  /* members that have it */
	bool named;	     /* owner has its final labels */
	unsigned char queue; /* in which it waits for its name; 0: in none */
	uint64_t due_ns;     /* CLOCK_MONOTONIC: when its name is to be looked for */
	struct kin *queue_prev, *queue_next;

	UT_hash_handle hh;
};

/* A cgroup as a member of its owner, which several cgroups may have. */
struct member {
	struct cgroup cgroup; /* the registry's entry: stays first */
	struct kin *kin;      /* NULL: a unit's */
	struct member *kin_prev, *kin_next;
	struct owner *owner; /* whom it counts for; NULL: none is needed yet. Kept by naming.c */
	struct member *owner_prev, *owner_next;
	/* The probe's slot for it; 0: none. Kept by slots.c. The kernel side gives a cgroup one. */
	unsigned int slot;
	struct cgroup_usage *usage; /* its files; NULL: they are not read. Kept by usage.c */
	unsigned int round; /* the last in which it was looked at. Kept by accept_queues.c */
	unsigned char pod_told, container_told; /* enum told. Kept by info.c */
};

static_assert(offsetof(struct member, cgroup) == 0, "a member is the registry's entry");

struct members {
	struct registry registry;
	struct cgroup_view view;
	struct kin *kins; /* by their keys */
	const char *cgroupfs, *procfs;
	uint64_t walked_ns;   /* CLOCK_MONOTONIC */
	uint64_t events_lost; /* as of the last walk */
	bool path_cut;	      /* since then an event did not have the whole path of its cgroup */
	uint64_t unnamed;     /* cgroups that were gone before their path was known */
};

/* Where they are mounted; the strings must outlive the members. members_free() frees them. */
void members_open(struct members *members, const char *cgroupfs, const char *procfs);
void members_free(struct members *members);

/* The member of a cgroup of this registry; NULL for NULL. */
static inline struct member *member_of(struct cgroup *cgroup)
{
	return (struct member *)(void *)cgroup;
}

/* Walk through all members, in the order in which they became known. */
static inline struct member *members_first(const struct members *members)
{
	return member_of(members->registry.table);
}

static inline struct member *members_next(const struct member *member)
{
	return member->cgroup.hh.next;
}

/* The same as registry_find(), registry_add() and registry_remove(). */
struct member *members_find(const struct members *members, uint64_t id);
struct member *members_add(struct members *members, uint64_t id, const char *path,
			   uint64_t born_ns);
void members_remove(struct members *members, struct member *member);

/* The kin of these ids, of which each may be ""; NULL: none of its cgroups is known. */
struct kin *members_find_kin(const struct members *members, const char *pod_uid,
			     const char *container_id);

/* Takes in an event. Returns the cgroup that was made; NULL if none was, or its path is cut. */
struct member *members_take_event(struct members *members, const struct cgroup_event *event);

/* Reads the hierarchy. now_ns: CLOCK_MONOTONIC. */
void members_walk(struct members *members, uint64_t now_ns);

/*
 * The same if it is due: a second after the last walk if events were missed since, five minutes
 * after it if not. events_lost: how many have been lost so far.
 */
void members_walk_if_due(struct members *members, uint64_t events_lost, uint64_t now_ns);

/*
 * Finds a cgroup that no event told of, by a walk if need be. One that the walk does not find is
 * gone already: it is added as a unit "unknown" that was removed. NULL if a walk is needed and the
 * last one was less than a second ago, or if memory ran out.
 */
struct member *members_look_for(struct members *members, uint64_t id, uint64_t now_ns);

#endif
