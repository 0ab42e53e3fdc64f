/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which cgroup a pod or a container is. Its uid and its id can be copied, so several paths may have
 * them. One of these has a claim to it:
 *
 *  - A path must be believed to be a pod's (trust.h).
 *  - The first path of a pod, or of a container, keeps it while its cgroup exists. Another path
 *    gets it from a path that is gone if it is believed as much, and from one that is
 *    there only if it is believed more.
 *  - A container in a pod is in the pod's own cgroup. Where the runtime puts it elsewhere
 *    ("...pod<uid>.slice:<runtime>:<id>"), it is at least not in a machine that the pod is not in.
 *
 * A cgroup without a claim has the name of what it is in: another container, a unit. One thread.
 */
#ifndef BRAMBLE_CGROUP_CLAIMS_H
#define BRAMBLE_CGROUP_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/trust.h"

struct claim;

struct claims {
	struct pod_roots roots; /* set it before there are claims */
	struct claim *table;
	uint64_t refused; /* cgroups whose path is not believed, or whose pod another path has */
	bool silent;	  /* nothing is logged */
	uint64_t trust_told_ns, double_told_ns; /* when the log said it last; 0: never */
};

/*
 * Names a cgroup by its path, and keeps a claim to its container or pod. Names a unit "unknown" if
 * the path cannot be read. *claim is NULL for other cgroups, and else to be given to claims_drop().
 * Returns 0 or -ENOMEM.
 */
int claims_name(struct claims *claims, const char *path, struct cgroup_name *name,
		struct claim **claim);

/* Gives a claim back. It ends with the last cgroup that has it. NULL is allowed. */
void claims_drop(struct claims *claims, struct claim *claim);

#endif
