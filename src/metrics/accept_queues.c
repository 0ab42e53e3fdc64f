/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/accept_queues.h"

#include <string.h>

#include "bramble/growth.h"
#include "metrics/families.h"
#include "net/overflows.h"
#include "util/clock.h"

/* A round begins at most this often, and an update looks at this many cgroups. */
#define ROUND_NS (10 * NS_PER_S)
#define BATCH	 16

/* The cgroup of a pod itself. NULL: it is not known, or gone. */
static struct cgroup *find_pod(const struct registry *registry, const char *pod_uid)
{
	struct cgroup *cgroup;

	for (cgroup = registry->table; cgroup; cgroup = cgroup->hh.next)
		if (cgroup->name.kind == CGROUP_POD && !cgroup->removed_ns &&
		    !strcmp(cgroup->name.pod_uid, pod_uid))
			return cgroup;
	return NULL;
}

/* Whom a namespace counts for that a process of this cgroup is in: its pod, not one container. */
static struct owner *owner_of_namespace(struct accept_queues *queues, struct cgroup *cgroup,
					bool host)
{
	struct cgroup *pod = NULL;

	/* Nobody's in particular: a service's, a process's of the root, a host-network pod's. */
	if (host)
		return queues->kernel;
	if (cgroup->name.pod_uid[0])
		pod = find_pod(&queues->members->registry, cgroup->name.pod_uid);
	if (pod)
		cgroup = pod;
	if (!cgroup->owner)
		members_name(queues->members, cgroup);
	return cgroup->owner;
}

/* Reads the namespace of one cgroup, unless this round has read it through another one. */
static void read_one(struct accept_queues *queues, struct cgroup *cgroup)
{
	bool is_new = cgroup->born_ns > queues->start_ns;
	struct overflows_growth growth;
	struct owner *owner;
	struct total *total;

	cgroup->round = queues->round;
	if (overflows_read(queues->overflows, cgroup->path, is_new, &growth))
		return;
	queues->stepped_back += growth.lower;
	if (!growth.count)
		return;
	owner = owner_of_namespace(queues, cgroup, growth.host);
	total = owner ? owner_total(owner, PROBE_TCP) : NULL;
	if (total)
		*total_counters(total, &families[FAMILY_TCP_OVERFLOWS]) += growth.count;
}

void accept_queues_open(struct accept_queues *queues, struct members *members, struct owner *kernel,
			const char *procfs, const char *cgroupfs)
{
	struct cgroup *cgroup;

	*queues = (struct accept_queues){
		.members = members,
		.kernel = kernel,
		.start_ns = clock_boottime_ns(),
		.round_ns = clock_monotonic_ns(),
		.round = 1,
	};
	if (overflows_open(procfs, cgroupfs, &queues->overflows))
		return;
	for (cgroup = members->registry.table; cgroup; cgroup = cgroup->hh.next)
		read_one(queues, cgroup);
}

void accept_queues_close(struct accept_queues *queues)
{
	overflows_close(queues->overflows);
	queues->overflows = NULL;
}

void accept_queues_update(struct accept_queues *queues, uint64_t now_ns)
{
	struct cgroup *cgroup;
	unsigned int read = 0;

	if (!queues->overflows)
		return;
	for (cgroup = queues->members->registry.table; cgroup; cgroup = cgroup->hh.next) {
		if (cgroup->round == queues->round || cgroup->removed_ns)
			continue;
		if (read++ == BATCH)
			return;
		read_one(queues, cgroup);
	}
	if (grown(now_ns, queues->round_ns) < ROUND_NS)
		return;
	queues->round_ns = now_ns;
	queues->round++;
	overflows_next_round(queues->overflows);
}
