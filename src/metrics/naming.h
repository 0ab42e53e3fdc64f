/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gives each cgroup its owner. The labels are what its path says, joined with the names that the
 * kubelet, the log directories or a container engine's files give to it. An owner is made when its
 * name is first looked for, and renamed when the name is found. One thread calls all of this.
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
 * How long a name is waited for at most, since its cgroup became known. A kubelet knows a container
 * a second or two after its start. That a container is the sandbox is known 10 s after its start
 * (kube/names.c), and with the answer to the next request.
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

/* The labels of what is no pod's. */
void naming_unit(struct labels *labels, const char *unit);

/*
 * Looks for the name of a cgroup by what is known now, and makes or renames its owner. Without a
 * name it has its ids: the pod's uid, and the digits of the container's id that crictl ps shows.
 * The owner stays NULL if memory ran out.
 */
void naming_find(struct naming *naming, struct member *member);

/* Looks again for all names that were not found. */
void naming_find_again(struct naming *naming);

/*
 * The same, at most once a second. What has waited for its name for too long is shown by its ids.
 * now_ns: CLOCK_MONOTONIC.
 */
void naming_retry(struct naming *naming, uint64_t now_ns);

/* Forgets a cgroup that is to be removed. Its owner goes with its last cgroup. */
void naming_forget(struct naming *naming, struct member *member);

#endif
