/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which workload the pod of an owner belongs to, as the kubelet tells it. An owner's labels do not
 * say it: it is looked up for those who ask.
 */
#ifndef BRAMBLE_WORKLOADS_H
#define BRAMBLE_WORKLOADS_H

#include <stddef.h>

#include "kube/names.h"
#include "metrics/members.h"

struct owner_workload {
	const struct owner *owner;
	const struct workload *workload;
};

/* Points to the owners and to what the names keep: it is for one reply. */
struct workloads {
	struct owner_workload *list; /* sorted by owner */
	size_t count;
};

/*
 * Finds the workloads of all owners that a pod's cgroups count for. Of several pods of one owner,
 * the one made last tells. Returns 0, and the caller gives *out to workloads_free(), or
 * -ENOMEM.
 */
int workloads_read(const struct members *members, const struct kube_names *names,
		   struct workloads *out);
void workloads_free(struct workloads *workloads);

/* NULL: nobody told it, or nothing owns the pod. */
const struct workload *workloads_find(const struct workloads *workloads, const struct owner *owner);

#endif
