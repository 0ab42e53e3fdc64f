/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Owners: whom samples are counted for, which is what the labels of a series
 * say. A container of a pod (namespace, pod, container) or a unit. Several
 * cgroups may count for one owner: nested ones, or those of a container that
 * was restarted. An owner's counters never fall as long as it exists.
 *
 * One thread calls all of this. Running out of memory is told by NULL.
 */
#ifndef BRAMBLE_OWNERS_H
#define BRAMBLE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "metrics/ledger.h"

/* The labels of a series: a pod's container; a container outside of Kubernetes, alone; a unit. */
struct labels {
	char name_space[64];
	char pod[254];
	char container[64];
	char unit[96];
};

/*
 * Counts that an owner has taken over from another at once. Who read it after since_ns and before
 * at_ns must not take the difference to a later reading: part of it is older than the first one.
 */
struct joined {
	uint64_t since_ns; /* CLOCK_MONOTONIC: when they were 0; 0: not known */
	uint64_t at_ns;	   /* CLOCK_MONOTONIC: when they were taken over; 0: there are none */
};

struct owner {
	struct labels labels;
	uint64_t id; /* no other owner has had it; not 0. It stays when the labels change */
	struct ledger ledger;
	uint64_t made_ns;  /* CLOCK_BOOTTIME, when what probes count for it was 0 */
	uint64_t since_ns; /* CLOCK_MONOTONIC, when SOURCE_FILES, too, was 0; 0: not known */
	struct joined joined;
	unsigned int cgroups; /* that count for it */
	bool files_read;      /* SOURCE_FILES was known before the update that runs */
	bool summed;	      /* beyond the limit: exported in the sum of such alone */
	bool hidden;	      /* not exported at all: owners_hide() */
	bool held;	      /* not exported yet: owners_hold() */
	uint64_t shown_ns;    /* CLOCK_MONOTONIC, since when it is exported, if it was held */
	UT_hash_handle hh;    /* by labels; in the order of their making */
};

/*
 * Causes of waits that stand for many; both are called "other". An owner's waits for them are in
 * front of its others.
 */
extern const struct owner owner_other; /* the cause is not kept */
extern const struct owner owner_gone;  /* it was summed and is gone: counted in sums alone */

/*
 * With a limit, containers that come when so many have series of their own are summed: for as
 * long as they are there, and their counts stay in the sum after that. So no series falls, nor
 * changes whom it is about.
 */
struct owners {
	struct owner *table;
	uint64_t last_id;
	size_t max_containers; /* 0: no limit; to be set before there are owners */
	size_t containers;     /* with series of their own */
	size_t summed;	       /* without */
	struct ledger gone;    /* counters of summed ones that are gone */
	uint64_t sum_made_ns;  /* CLOCK_BOOTTIME, when the first was summed; 0: none was */
};

/* The owner with these labels, made if there is none. Owned by owners. */
struct owner *owners_get(struct owners *owners, const struct labels *labels);

/* The same, but NULL if there is none. */
struct owner *owners_find(struct owners *owners, const struct labels *labels);

/*
 * Gives an owner other labels. If another owner has these already, it takes
 * over all that the first one counted, and what others waited because of it,
 * and the first one is freed. Returns the owner that has the labels now.
 */
struct owner *owners_rename(struct owners *owners, struct owner *owner,
			    const struct labels *labels);

/* Exports an owner no more, unless it is summed: it takes no place of the limit then. */
void owners_hide(struct owners *owners, struct owner *owner);

/*
 * Holds an owner back whose labels are not final: it counts, and is not exported. So its counts
 * never appear under labels that they leave again. owners_show() ends that, at now_ns
 * (CLOCK_MONOTONIC).
 */
void owners_hold(struct owner *owner);
void owners_show(struct owner *owner, uint64_t now_ns);

/* Whether it is exported by its own labels. */
bool owner_has_series(const struct owner *owner);

/*
 * Frees an owner. What others waited because of it goes with it, as its own series do: as another
 * cause's it would be a jump. In sums, which must not fall, it stays.
 */
void owners_remove(struct owners *owners, struct owner *owner);

/* Frees all owners. */
void owners_free(struct owners *owners);

/*
 * Adds to what owner waited because of cause. Without memory for one more cause it is added to
 * owner_other's. False: there was no memory for that either.
 */
bool owner_add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns);

/*
 * The sum of all that have no series of their own, as an owner with the label container="other"
 * alone: the caller frees it with owners_free_sum(). NULL if there is none, or no memory.
 */
struct owner *owners_sum(const struct owners *owners);
void owners_free_sum(struct owner *sum);

#endif
