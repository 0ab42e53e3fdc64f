/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gives each cgroup its owner. The owner's labels come from the cgroup's path and from the names
 * that the kubelet, the log directories or the files of a container engine tell.
 *
 * The cgroups of one container or one pod (struct kin) have one name. It is looked for in rounds:
 * those whose time has come wait in queues, and a round does a bounded amount of work. A name that
 * was not found is looked for again after a pause, and when the kubelet has answered. Until it is
 * found the owner has ids for labels, and is not exported for NAMING_WAIT_NS. One thread calls all
 * of this.
 */
#ifndef BRAMBLE_NAMING_H
#define BRAMBLE_NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/names.h"
#include "metrics/members.h"
#include "metrics/owners.h"
#include "util/clock.h"
#include "util/wall.h"

/*
 * The longest wait for a name, from when its cgroup became known. A kubelet lists a container a
 * second or two after its start. A container is known to be the sandbox when the kubelet does not
 * list it 10 s after its start (kube/names.c), which takes one more request.
 */
#define NAMING_WAIT_NS (15 * NS_PER_S)

#define NAMING_QUEUES  6 /* the first is not used: see struct kin */

struct naming {
	struct members *members;
	struct owners *owners;
	struct kube_names *names;
	const struct wall *wall; /* how the wall clock was set when a cgroup was made */
	bool sandboxes;		 /* those of pods have series, too */
	/* Those whose names are looked for, by how long they pause; the first is due first. */
	struct kin *queue[NAMING_QUEUES];
	uint64_t round_ns; /* CLOCK_MONOTONIC, when the last round began */
	uint64_t looks;	   /* names looked for so far */
	/* For those of containers outside of pods: how long may be looked for them, as of when. */
	int64_t outside_left_ns;
	uint64_t outside_at_ns; /* CLOCK_MONOTONIC; 0: none was looked for yet */
};

/* The labels of a unit: of what is not in a container. */
void naming_unit(struct labels *labels, const char *unit);

/*
 * Gives a cgroup an owner if it has none: its container's or its pod's, if these have one. The name
 * of a container or pod is not looked for here, but in the next round. Until then its labels are
 * ids: the pod's uid, and the digits of the container's id that crictl ps shows. The owner stays
 * NULL if memory ran out.
 */
void naming_own(struct naming *naming, struct member *member);

/*
 * The name of a cgroup will be wanted. The next round looks for it, and gives the cgroup an owner.
 * To be called when the cgroup was made: the log directory of a short-lived pod may soon be gone.
 * Does nothing for a unit, whose name is in its path.
 */
void naming_expect(struct naming *naming, struct member *member);

/*
 * Looks for the names that are due: one round, of some milliseconds at most. It does nothing if the
 * last round was just now. Owners that have waited for NAMING_WAIT_NS are shown by their ids from
 * now on. now_ns: CLOCK_MONOTONIC.
 */
void naming_run(struct naming *naming, uint64_t now_ns);

/*
 * The same for an answer that is being made: without the pause after the last round, and also for
 * names that are due within a second. now_ns must be read after those names were asked for.
 */
void naming_run_for_reader(struct naming *naming, uint64_t now_ns);

/* When the next round is due, CLOCK_MONOTONIC. UINT64_MAX: no name is missing. */
uint64_t naming_due_ns(const struct naming *naming);

/* The kubelet has answered: missing names of the pods that it knows are due now. */
void naming_answered(struct naming *naming);

/* Takes a cgroup that is to be removed from its owner. With its last cgroup the owner is discarded.
 */
void naming_forget(struct naming *naming, struct member *member);

#endif
