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

	/* Kept by accept_queues.c: the last round, and how many of its members it has looked at. */
	unsigned int round, round_reads;

	UT_hash_handle hh;
};

/* What a cgroup's slot counts in. Kept by roots.c. */
struct cgroup_home {
	uint64_t key;	    /* of its pod or unit, for comparison alone; 0: not looked at yet */
	unsigned int quota; /* how many slots may have this key besides the homes'; 0: it is one */
	bool missing;	    /* it had no room in the kernel's map: it is tried again */
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
	struct cgroup_home home;    /* Kept by roots.c */
	struct cgroup_usage *usage; /* its files; NULL: they are not read. Kept by usage.c */
	unsigned char rank;	    /* when its files are read. Kept by usage.c */
	struct member *end_prev, *end_next; /* in one of the lists of removed ones */
	bool ended, kept;		    /* in one of them; in which */
	unsigned int round; /* the last in which it was looked at. Kept by accept_queues.c */
	unsigned char pod_told, container_told; /* enum told. Kept by info.c */
};

static_assert(offsetof(struct member, cgroup) == 0, "a member is the registry's entry");

struct members {
	struct registry registry;
	struct cgroup_view view;
	struct kin *kins;	/* by their keys */
	struct member *removed; /* a list of those that were removed, the first one first */
	struct member *kept;	/* those of them that members_keep() was called for */
	bool pods;		/* there is or was a pod among them */
	size_t max;		/* cgroups; 0: no limit. Set it before there are any */
	uint64_t refused;	/* cgroups for which there was no room */
	bool full;		/* for one of them because all places were taken, not KIN_MAX */
	struct walk *walk;	/* that is under way; NULL: none */
	uint64_t *wanted;	/* by it: sorted ids of cgroups for which there is always room */
	size_t wanted_count;
	uint64_t stepped_ns; /* CLOCK_MONOTONIC, when its last step ended */
	const char *cgroupfs, *procfs;
	uint64_t walked_ns;   /* CLOCK_MONOTONIC, when the last walk began */
	uint64_t walk_ns;     /* how long its steps took */
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

/*
 * Which cgroups are kept, if there is a limit. A cgroup that nothing runs in takes a place, and
 * whoever may make cgroups can make 100,000 of them. So
 *  - a quarter of the places is for the first cgroup of each pod and each container in a pod. A
 *    container's id can be made up, a pod's path is believed only where root made it;
 *  - no container has more than KIN_MAX;
 *  - what is refused is found later, if something is counted for it: members_decide().
 */
#define KIN_MAX 256

/* How many cgroups are kept if the probe has so many slots. Each takes about 1 KiB. */
static inline size_t members_limit(unsigned int slots)
{
	return 4 * (size_t)slots + 4096;
}

static inline size_t members_count(const struct members *members)
{
	return HASH_COUNT(members->registry.table);
}

/* A cgroup is gone since now_ns (CLOCK_MONOTONIC). It is put in the list of removed ones. */
void members_end(struct members *members, struct member *member, uint64_t now_ns);

/* Moves a removed cgroup to the list of those that are kept. */
void members_keep(struct members *members, struct member *member);

/* Reads the hierarchy, all of it at once. now_ns: CLOCK_MONOTONIC. */
void members_walk(struct members *members, uint64_t now_ns);

/*
 * The same if it is due: a second after the last walk if events were missed since, five minutes
 * after it if not. It takes a twentieth of the time at most. events_lost: how many have been lost
 * so far.
 */
void members_walk_if_due(struct members *members, uint64_t events_lost, uint64_t now_ns);

/*
 * Finds cgroups that no event told of, by one walk for all of them. Those that the walk does not
 * find are gone already: they are added as units "unknown" that were removed. ids: of cgroups that
 * are not known, in any order. Returns whether all are known now. If not, another walk was under
 * way or just now, or there are so many cgroups that this one goes on in members_walk_on().
 */
bool members_decide(struct members *members, const uint64_t *ids, size_t count, uint64_t now_ns);

/* Takes the next step of a walk that has not ended, if it is due. */
void members_walk_on(struct members *members, uint64_t now_ns);

/* When that is, CLOCK_MONOTONIC; UINT64_MAX: no walk is under way. */
uint64_t members_due_ns(const struct members *members);

#endif
