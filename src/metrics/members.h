/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cgroups that are known, and the owner that each one counts for: made when its name is looked
 * for first, renamed when the name is found, removed with its last cgroup. One thread calls all of
 * this.
 */
#ifndef BRAMBLE_METRICS_MEMBERS_H
#define BRAMBLE_METRICS_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/registry.h"
#include "kube/names.h"
#include "metrics/owners.h"
#include "util/wall.h"

struct members {
	struct registry registry;
	struct owners owners;
	struct kube_names *names; /* who gives them their names */
	const struct wall *wall;  /* how the wall clock is set, and was */
	bool sandboxes;		  /* show those of pods */
	uint64_t tried_ns;	  /* when missing names were last looked for */
};

/*
 * Looks for a cgroup's name, and makes or renames its owner. The owner stays NULL if memory ran
 * out.
 */
void members_name(struct members *members, struct cgroup *cgroup);

/* Looks again for all names that were not known when they were looked for last. */
void members_name_again(struct members *members);

/*
 * The same, once a second at most. What has waited for its name for too long is shown by its ids.
 * now_ns: CLOCK_MONOTONIC.
 */
void members_retry_names(struct members *members, uint64_t now_ns);

/* Removes a cgroup from the registry, and its owner if that has no other cgroup. */
void members_remove(struct members *members, struct cgroup *cgroup);

void members_free(struct members *members);

#endif
