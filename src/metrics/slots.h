/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probe counts in slots, one for each cgroup. This keeps which cgroup a slot counts for, and
 * what its cells were when they were read last, so that their growth can be added to the cgroup's
 * owner. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_SLOTS_H
#define BRAMBLE_METRICS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/block.h"
#include "metrics/causes.h"
#include "metrics/kernel_jobs.h"
#include "metrics/members.h"
#include "metrics/owners.h"
#include "metrics/roots.h"
#include "metrics/slot_warnings.h"
#include "metrics/targets.h"
#include "probe/probe.h"

struct slot;

/* Where they are mounted. */
struct slots_places {
	const char *cgroupfs, *procfs, *sysfs;
};

struct slots {
	struct probe *probe;
	struct slot *slot; /* as many as the probe has */
	struct roots roots;
	struct causes causes;
	struct block_books blocks;
	struct targets targets;
	struct owners *owners;
	struct probe_pressure *pressure; /* by CPU, as it is read */
	struct owner *idle;		 /* the cause of waits on a CPU that was idle */
	struct owner *overflow;		 /* for cgroups without a slot */
	struct kernel_jobs kernel;	 /* for KERNEL_CGROUP_ID, and the jobs of its threads */
	unsigned int used;		 /* slots in use at the last update, without overflow's */
	struct slot_warnings warnings;
	uint64_t now_ns;	       /* CLOCK_MONOTONIC, of the running call */
	uint64_t closed_ns;	       /* when slots were last closed */
	unsigned int *due;	       /* slots that are to be closed; has room for all */
	bool *freed;		       /* by slot: was it freed just now? */
	struct probe_times *under_way; /* by slot, as it is read */
	uint64_t made_ns;	       /* CLOCK_BOOTTIME, when they were made */
	uint64_t causes_lost;	       /* waits whose cause found no place among the pairs */
	uint64_t stepped_back[PROBES]; /* values that were lower than at the reading before */
};

/*
 * Makes them for a probe, with the owners that are no cgroup's. The probe, the owners and the
 * strings must outlive them. Returns 0 or -ENOMEM; slots_close() frees them in either case.
 */
int slots_open(struct slots *slots, struct probe *probe, struct owners *owners,
	       const struct slots_places *places);
void slots_close(struct slots *slots);

/*
 * Finds the cgroup of an id and gives it an owner. NULL if the cgroup is not known yet; its owner
 * is NULL if memory ran out. The next update asks again for either.
 */
typedef struct member *(*slots_find_fn)(void *context, uint64_t id);

/*
 * Adds what all slots counted since the last update to their owners. now_ns: CLOCK_MONOTONIC, the
 * same in all calls of one turn.
 */
void slots_update(struct slots *slots, slots_find_fn find, void *context, uint64_t now_ns);

/* Sums up the pressure of all slots: to be called every PRESSURE_INTERVAL_S. Cheap. */
void slots_update_pressure(struct slots *slots);

/*
 * Brings the times of the owners' tasks up to now_ns (CLOCK_MONOTONIC, just read). Cheap. What is
 * under way stays with the owners until the next call.
 */
void slots_update_times(struct slots *slots, struct owners *owners, uint64_t now_ns);

/* Reads again what a slot has counted of the times. 0: nothing. */
void slots_read_times(struct slots *slots, unsigned int slot);

/*
 * Takes in a cgroup that was made, and those that walks have found: what is nested in others shares
 * their slots. To be called as soon as they are known, slots_take_walked() the last in each turn.
 */
void slots_take_made(struct slots *slots, struct member *made);
void slots_take_removed(struct slots *slots, uint64_t id);
void slots_take_refused(struct slots *slots, uint64_t id, const char *path);
void slots_take_walked(struct slots *slots, const struct members *members);

/*
 * Takes back the slots of cgroups that were removed, or have counted nothing, for retain_ns; sooner
 * if few slots are left. What they counted stays with their owners. A cgroup that is still there
 * gets another slot when it does something. It is known which ones are idle only right after an
 * update. So are at once the slots that a pod or a unit has beyond its quota (bramble/roots.h).
 *
 * A slot is closed by one call, and freed by the next one that comes PROBE_CLOSING_NS later, or
 * more. All slots of a call are freed in one pass. To be called every few seconds.
 */
void slots_retire(struct slots *slots, slots_find_fn find, void *context, uint64_t retain_ns,
		  uint64_t now_ns);

/*
 * Whether slots_retire() should be called at once: few slots are left, or the programs cannot see
 * what is nested. Cheap.
 */
bool slots_are_scarce(const struct slots *slots);

#endif
