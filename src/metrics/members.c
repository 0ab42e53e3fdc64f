/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/members.h"

#include <string.h>

#include "bramble/growth.h"
#include "metrics/naming.h"
#include "util/clock.h"

/* Names are looked for again at most this often. */
#define RETRY_NS NS_PER_S

/* All cgroups of one owner get another: two owners turned out to be the same. */
static void move_cgroups(struct members *members, const struct owner *from, struct owner *to)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, members->registry.table, cgroup, next)
		if (cgroup->owner == from)
			cgroup->owner = to;
}

/* Whether the second labels have the pod's name where the first have its uid. */
static bool names_pod(const struct labels *before, const struct labels *now)
{
	return !before->name_space[0] && now->name_space[0];
}

/* The first time that a cgroup's name is looked for. Until it is known its owner is held back. */
static void make_owner(struct members *members, struct cgroup *cgroup, const struct labels *labels)
{
	struct owner *owner = owners_get(&members->owners, labels);

	cgroup->owner = owner;
	if (!owner)
		return;
	if (!cgroup->named && !owner->cgroups)
		owners_hold(owner);
	owner->cgroups++;
}

/* Shows what a held owner has counted from now on, by its own labels or by others. */
static void rename_owner(struct members *members, struct cgroup *cgroup,
			 const struct labels *labels)
{
	struct owner *before = cgroup->owner;
	bool held = before->held;

	cgroup->owner = owners_rename(&members->owners, before, labels);
	if (cgroup->owner != before)
		move_cgroups(members, before, cgroup->owner);
	if (held && cgroup->named)
		owners_show(cgroup->owner, clock_monotonic_ns());
}

void members_name(struct members *members, struct cgroup *cgroup)
{
	struct labels labels;

	cgroup->named =
		naming_find(&members->registry, members->names, members->wall, cgroup, &labels);
	if (!cgroup->owner)
		make_owner(members, cgroup, &labels);
	else if (cgroup->named || names_pod(&cgroup->owner->labels, &labels))
		rename_owner(members, cgroup, &labels);
	if (cgroup->owner && !members->sandboxes && labels.pod[0] &&
	    strcmp(labels.container, KUBE_SANDBOX) == 0)
		owners_hide(&members->owners, cgroup->owner);
}

void members_name_again(struct members *members)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, members->registry.table, cgroup, next)
		if (cgroup->owner && !cgroup->named)
			members_name(members, cgroup);
}

/* What has waited for its name for too long is shown by its ids. */
static void show_overdue(struct members *members, uint64_t now_ns)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, members->registry.table, cgroup, next)
		if (cgroup->owner && cgroup->owner->held &&
		    grown(now_ns, cgroup->seen_ns) > NAMING_WAIT_NS)
			owners_show(cgroup->owner, now_ns);
}

void members_retry_names(struct members *members, uint64_t now_ns)
{
	if (grown(now_ns, members->tried_ns) < RETRY_NS)
		return;
	members->tried_ns = now_ns;
	members_name_again(members);
	show_overdue(members, now_ns);
}

void members_remove(struct members *members, struct cgroup *cgroup)
{
	if (cgroup->owner && --cgroup->owner->cgroups == 0)
		owners_remove(&members->owners, cgroup->owner);
	if (cgroup->name.kind == CGROUP_POD)
		kube_names_forget_pod(members->names, cgroup->name.pod_uid);
	registry_remove(&members->registry, cgroup);
}

void members_free(struct members *members)
{
	registry_free(&members->registry);
	owners_free(&members->owners);
}
