/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The labels of a cgroup: what its path says, joined with the names that the
 * kubelet, the log directories or a container engine's files give to it.
 */
#ifndef BRAMBLE_NAMING_H
#define BRAMBLE_NAMING_H

#include <stdbool.h>

#include "cgroup/registry.h"
#include "kube/names.h"
#include "metrics/owners.h"
#include "util/clock.h"
#include "util/wall.h"

/*
 * How long a name is waited for at most, since its cgroup became known. A kubelet knows a container
 * a second or two after its start, and that one is the sandbox 10 s after (kube/names.c) and a
 * request later.
 */
#define NAMING_WAIT_NS (15 * NS_PER_S)

/* The labels of what is no pod's. */
void naming_unit(struct labels *labels, const char *unit);

/*
 * The labels of a cgroup by what is known now. What has no name yet goes by its
 * ids: the pod by its uid, the container by the digits that crictl ps shows.
 * Returns whether these labels are final. wall tells how the wall clock was set when the cgroup
 * was made.
 */
bool naming_find(const struct registry *registry, struct kube_names *names, const struct wall *wall,
		 const struct cgroup *cgroup, struct labels *labels);

#endif
