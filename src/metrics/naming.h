/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gives each cgroup its owner. The owner's labels come from the cgroup's path and from the names
 * that the kubelet, the log directories or the files of a container engine tell. An owner is made
 * when the name of its first cgroup is looked for, and renamed when the name is found. One thread
 * calls all of this.
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

struct naming {
	struct members *members;
	struct owners *owners;
	struct kube_names *names;
	const struct wall *wall; /* how the wall clock was set when a cgroup was made */
	bool sandboxes;		 /* those of pods have series, too */
	uint64_t tried_ns;	 /* CLOCK_MONOTONIC, when missing names were last looked for */
};

/* The labels of a unit: of what is not in a container. */
void naming_unit(struct labels *labels, const char *unit);

/*
 * Looks for the name of a cgroup by what is known now, and makes or renames its owner. Until the
 * name is found its labels are ids: the pod's uid, and the digits of the container's id that crictl
 * ps shows. The owner stays NULL if memory ran out.
 */
void naming_find(struct naming *naming, struct member *member);

/* Looks again for all names that were not found. */
void naming_find_again(struct naming *naming);

/*
 * The same, at most once a second. An owner that has waited for NAMING_WAIT_NS is shown by its ids
 * from now on. now_ns: CLOCK_MONOTONIC.
 */
void naming_retry(struct naming *naming, uint64_t now_ns);

/* Takes a cgroup that is to be removed from its owner. With its last cgroup the owner goes. */
void naming_forget(struct naming *naming, struct member *member);

#endif
