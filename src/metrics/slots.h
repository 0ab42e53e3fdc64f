/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probe counts in slots, one for each cgroup. This keeps which cgroup a slot counts for, and
 * what its cells were when they were read last, so that their growth can be added to the cgroup's
 * owner. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_SLOTS_H
#define BRAMBLE_METRICS_SLOTS_H

#include <stdint.h>

#include "metrics/block.h"
#include "metrics/causes.h"
#include "metrics/members.h"
#include "metrics/owners.h"
#include "probe/probe.h"

struct slot;

struct slots {
	struct probe *probe;
	struct slot *slot; /* as many as the probe has */
	struct causes causes;
	struct block_books blocks;
	struct probe_pressure *pressure; /* by CPU, as it is read */
	struct owner *idle;		 /* the cause of waits on a CPU that was idle */
	struct owner *overflow;		 /* for cgroups without a slot */
	struct owner *kernel;		 /* for KERNEL_CGROUP_ID */
	unsigned int used;		 /* slots in use at the last update, without overflow's */
	uint64_t causes_lost;		 /* waits whose cause found no place among the pairs */
	uint64_t stepped_back[PROBES];	 /* values that were lower than at the reading before */
};

/*
 * Makes them for a probe, with the owners that are no cgroup's. The probe, the owners and the
 * strings must outlive them. Returns 0 or -ENOMEM; slots_close() frees them in either case.
 */
int slots_open(struct slots *slots, struct probe *probe, struct owners *owners, const char *procfs,
	       const char *sysfs);
void slots_close(struct slots *slots);

/*
 * Finds the cgroup of an id and gives it an owner. NULL if the cgroup is not known yet; its owner
 * is NULL if memory ran out. The next update asks again for either.
 */
typedef struct member *(*slots_find_fn)(void *context, uint64_t id);

/* Adds what all slots counted since the last update to their owners. */
void slots_update(struct slots *slots, slots_find_fn find, void *context);

/* Sums up the pressure of all slots: to be called every PRESSURE_INTERVAL_S. Cheap. */
void slots_update_pressure(struct slots *slots);

/*
 * Frees the slots of cgroups that were removed at least retain_ns before now_ns (CLOCK_MONOTONIC);
 * sooner if few slots are left. The readings of their cells stay: see probe_free_slots().
 */
void slots_retire(struct slots *slots, uint64_t retain_ns, uint64_t now_ns);

#endif
