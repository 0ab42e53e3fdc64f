/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/accept_queues.h"

#include <string.h>

#include <utlist.h>

#include "bramble/growth.h"
#include "metrics/families.h"
#include "metrics/unread.h"
#include "net/overflows.h"
#include "util/clock.h"

/* A round takes at least this long. An update reads the namespaces of so many cgroups. */
#define ROUND_NS      (10 * NS_PER_S)
#define BATCH	      16

/* So many cgroups of a container are read in a round. Few have network namespaces of their own. */
#define KIN_READS_MAX 32

/* The cgroup of the pod itself; NULL if it is not known, or gone. */
static struct member *find_pod(const struct kin *kin)
{
	const struct kin *pod = kin->pod ? kin->pod : kin;
	struct member *member;

	DL_FOREACH2(pod->members, member, kin_next)
	if (member->cgroup.name.kind == CGROUP_POD && !member->cgroup.removed_ns)
		return member;
	return NULL;
}

/* The owner of the namespace that a process of this cgroup is in: its pod, not one container. */
static struct owner *owner_of_namespace(struct accept_queues *queues, struct member *member,
					bool host)
{
	struct member *pod = NULL;

	/* Services, processes of the root and host-network pods share it. */
	if (host)
		return queues->kernel;
	if (member->kin)
		pod = find_pod(member->kin);
	if (pod)
		member = pod;
	naming_own(queues->naming, member);
	return member->owner;
}

/* Reads the namespace of one cgroup, unless this round has read it for another one. */
static void read_one(struct accept_queues *queues, struct member *member)
{
	bool is_new = member->cgroup.born_ns > queues->start_ns;
	struct overflows_growth growth;
	struct tcp_cell cell = {0};
	struct owner *owner;

	member->round = queues->round;
	if (overflows_read(queues->overflows, member->cgroup.path, is_new, &growth))
		return;
	queues->stepped_back += growth.lower;
	if (!growth.count)
		return;
	owner = owner_of_namespace(queues, member, growth.host);
	cell.accept_queue_overflows = growth.count;
	if (!owner || owner_add(owner, SOURCE_OF_PROBE(PROBE_TCP), NULL, &cell, NULL) < 0)
		queues->lost += growth.count;
}

void accept_queues_open(struct accept_queues *queues, struct naming *naming, struct owner *kernel,
			const char *procfs, const char *cgroupfs)
{
	struct member *member;

	*queues = (struct accept_queues){
		.naming = naming,
		.kernel = kernel,
		.start_ns = clock_boottime_ns(),
		.round_ns = clock_monotonic_ns(),
		.round = 1,
	};
	if (overflows_open(procfs, cgroupfs, &queues->overflows))
		return;
	for (member = members_first(naming->members); member; member = members_next(member))
		read_one(queues, member);
}

void accept_queues_close(struct accept_queues *queues)
{
	overflows_close(queues->overflows);
	queues->overflows = NULL;
}

/*
 * Whether a process may be in a cgroup whose namespace this round has not read. Only so many
 * cgroups of a container are read, and no unit in which nothing was counted: there may be
 * thousands.
 */
static bool is_wanted(struct accept_queues *queues, struct member *member)
{
	struct kin *kin = member->kin;

	if (member->round == queues->round || member->cgroup.removed_ns)
		return false;
	if (!kin)
		return member->owner;
	if (kin->round != queues->round)
		kin->round_reads = 0;
	kin->round = queues->round;
	return kin->round_reads++ < KIN_READS_MAX;
}

/* Reads on from where the last update ended. Returns whether this round has read all. */
static bool read_some(struct accept_queues *queues)
{
	const struct members *members = queues->naming->members;
	struct member *member = queues->next_id ? members_find(members, queues->next_id) : NULL;
	unsigned int read = 0;

	/* If it was forgotten meanwhile, those before it have been read, and are passed over. */
	if (!member)
		member = members_first(members);
	for (; member; member = members_next(member)) {
		if (!is_wanted(queues, member))
			continue;
		if (read++ == BATCH) {
			queues->next_id = member->cgroup.id;
			return false;
		}
		read_one(queues, member);
	}
	queues->next_id = 0;
	return true;
}

void accept_queues_update(struct accept_queues *queues, uint64_t now_ns)
{
	if (!queues->overflows || !read_some(queues))
		return;
	if (grown(now_ns, queues->round_ns) < ROUND_NS)
		return;
	queues->round_ns = now_ns;
	queues->round++;
	overflows_next_round(queues->overflows);
}
