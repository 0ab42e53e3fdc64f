/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An owner is what a series is about: a container of a pod (namespace, pod, container), a container
 * outside of Kubernetes, or a unit. Several cgroups may count for one owner: nested ones, or those
 * of a container that was restarted. An owner's counters never fall as long as it exists.
 *
 * One thread calls all of this. A function that returns a pointer returns NULL without memory.
 */
#ifndef BRAMBLE_OWNERS_H
#define BRAMBLE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/ledger.h"
#include "metrics/times.h"
#include "util/hash.h"

/*
 * The labels of a series: a pod's container; only container, outside Kubernetes; or a unit. Causes
 * may be a part of a unit.
 */
struct labels {
	char name_space[64];
	char pod[254];
	char container[64];
	char unit[96];
	char job[16]; /* of threads of the unit "kernel": kernel_job_name(); or empty */
};

/*
 * An owner took over all counts of another one at a moment. They had begun before it. So a reader
 * must not subtract a reading made between since_ns and at_ns from a later one: part of what was
 * taken over is older than the first reading.
 */
struct joined {
	uint64_t since_ns; /* CLOCK_MONOTONIC: when these counts were 0; 0: not known */
	uint64_t at_ns;	   /* CLOCK_MONOTONIC: when they were taken over; 0: never */
};

struct member;

struct owner {
	struct labels labels;
	uint64_t id; /* not 0, never used again, and the same when the labels change */
	struct ledger ledger;
	uint64_t made_ns;  /* CLOCK_BOOTTIME, when the counts of all probes were 0 */
	uint64_t since_ns; /* CLOCK_MONOTONIC, when those of SOURCE_FILES were, too; 0: not known */
	struct joined joined;
	struct task_times times;
	unsigned int cgroups;	/* that count for it */
	struct member *members; /* those of them that naming.c gave it: a list */
	bool files_read;	/* the cgroup's files had been read before the running update */
	bool summed;		/* beyond the limit: exported as a part of the sum only */
	bool hidden;		/* never exported: owners_hide() */
	bool held;		/* not exported yet: owners_hold() */
	bool blamed;		/* others have waited because of it */
	bool removed;		/* owners_discard() */
	bool read;		/* readers have seen its series. Kept by unread.c: */
	struct ledger unread;	/* what it has counted since they last did */
	size_t unread_lost;	/* accounts that found no memory in it */
	struct owner *next_removed;
	UT_hash_handle hh; /* by labels; the oldest first */
};

/*
 * Causes of waits that stand for many. The exposition calls both "other". They have the first two
 * accounts of an owner's waits.
 */
extern const struct owner owner_other; /* the cause was not recorded */
extern const struct owner
	owner_gone; /* removed owners, as far as sums need them; not in the JSON API */

/*
 * A limit says how many containers may have series of their own. A container that comes when they
 * are as many is summed for as long as it exists, and what it counted stays in the sum after that.
 * So no series falls, and none changes its subject. Where there are pods, half of the limit is for
 * their containers alone: anyone with a cgroup can make up containers outside of pods.
 */
struct owners {
	struct owner *table;
	uint64_t last_id;
	size_t max_containers; /* 0: no limit; set it before there are owners */
	bool pods;	       /* there are pods on this machine: set it as soon as one is known */
	size_t containers;     /* that have series of their own */
	size_t outside;	       /* those of them that are in no pod */
	size_t summed;	       /* containers that do not */
	struct owner *removed; /* a list, until owners_sweep() */
	size_t max;	       /* owners; 0: no limit; set it before there are owners */
	size_t outsiders;      /* owners of no pod */
	struct owner *refuge;  /* whom those count for that find no place; NULL: nobody */
	uint64_t refused;      /* how often that was so */
	struct ledger gone;    /* what removed owners that were summed have counted */
	uint64_t read_ns;      /* CLOCK_MONOTONIC, when a reader last had all: owners_mark_read() */
	uint64_t lost;	       /* accounts that found no memory as they were merged */
	uint64_t sum_made_ns;  /* CLOCK_BOOTTIME, when the first one was summed; 0: none was */
};

/*
 * How many owners there may be if the probe has so many slots. Half of them may be of no pod:
 * whoever may make cgroups chooses the names of units.
 */
static inline size_t owners_limit(unsigned int slots)
{
	return slots < 256 ? 1024 : 4 * (size_t)slots;
}

/*
 * Returns the owner with these labels, and makes it if there is none. Owned by owners. Beyond the
 * limit it is the refuge, which has other labels: it counts for all that find no place.
 */
struct owner *owners_get(struct owners *owners, const struct labels *labels);

/* Returns the owner with these labels; NULL if there is none. */
struct owner *owners_find(const struct owners *owners, const struct labels *labels);

/*
 * Gives an owner other labels. If another owner has them already, that one takes over all that the
 * first one counted and all that others waited because of it, and the first one is freed. Returns
 * the owner that has the labels now.
 *
 * What readers have seen stays where it was seen, in series that end now. Then the owner is another
 * one from here on, and begins with what they have not seen.
 */
struct owner *owners_rename(struct owners *owners, struct owner *owner,
			    const struct labels *labels);

/*
 * Stops exporting an owner. It no longer counts against the limit. An owner that is summed stays
 * in the sum, which must not fall.
 */
void owners_hide(struct owners *owners, struct owner *owner);

/*
 * Holds back an owner whose labels are not final. It goes on counting and is not exported. So its
 * counts never appear under labels that change later. owners_show() ends that.
 */
void owners_hold(struct owner *owner);
void owners_show(struct owner *owner);

/* Whether it has series with its own labels. */
bool owner_has_series(const struct owner *owner);

/*
 * A reader has now seen all series, at now_ns (CLOCK_MONOTONIC). What they are is known from here
 * on: unread.h.
 */
void owners_mark_read(struct owners *owners, uint64_t now_ns);

/*
 * Frees an owner. What others waited because of it is removed, too, as the owner's own series are:
 * a series of another cause would jump by it. In sums, which must not fall, it stays. What no
 * reader has seen of it is owner_gone's.
 */
void owners_remove(struct owners *owners, struct owner *owner);

/*
 * The same in two steps, for many at a time. A discarded owner is no longer in the table. It must
 * be swept before anything is exported: until then others may still name it as a cause.
 */
void owners_discard(struct owners *owners, struct owner *owner);
void owners_sweep(struct owners *owners);

/*
 * What no reader has seen of an owner's counts is the refuge's from now on. Before it is removed
 * unread. That of an owner that is summed stays in the sum instead, and that of one that is hidden
 * is not shown.
 */
void owners_keep_counts(struct owners *owners, const struct owner *owner);

/* Frees all owners. */
void owners_free(struct owners *owners);

/*
 * Adds to what owner waited because of cause, in ns. Without memory for a new cause, adds it for
 * owner_other. Returns false if there was no memory for that either: nothing was added.
 */
bool owner_add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns);

/*
 * Sums up all owners without series of their own, also those that were removed. The sum is an owner
 * whose only label is container="other"; the caller frees it with owners_free_sum(). NULL if no
 * owner was ever summed, or without memory for all of it: the sum must not fall.
 */
struct owner *owners_sum(const struct owners *owners);
void owners_free_sum(struct owner *sum);

#endif
