/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/naming.h"

#include <stdio.h>
#include <string.h>

#include "bramble/growth.h"
#include "kube/plain.h"
#include "util/utf8.h"

/* Names that were not found are looked for again at most this often. */
#define RETRY_NS NS_PER_S

void naming_unit(struct labels *labels, const char *unit)
{
	memset(labels, 0, sizeof(*labels));
	snprintf(labels->unit, sizeof(labels->unit), "%s", unit);
	utf8_clean(labels->unit); /* a scraper refuses everything if one label is no UTF-8 */
}

static void pod_labels(struct labels *labels, const struct kube_name *name)
{
	memset(labels, 0, sizeof(*labels));
	snprintf(labels->name_space, sizeof(labels->name_space), "%s", name->namespace);
	snprintf(labels->pod, sizeof(labels->pod), "%s", name->pod);
	snprintf(labels->container, sizeof(labels->container), "%s", name->container);
}

/* A container outside of Kubernetes has a name of its own, or its id. */
static void plain_labels(struct labels *labels, const struct cgroup_name *name)
{
	char found[PLAIN_NAME_SIZE];

	memset(labels, 0, sizeof(*labels));
	plain_find("", name->runtime, name->container_id, found);
	snprintf(labels->container, sizeof(labels->container), "%s", found);
}

static bool same_container(const struct cgroup *a, const struct cgroup *b)
{
	return a->name.kind == CGROUP_CONTAINER && b->name.kind == CGROUP_CONTAINER &&
	       strcmp(a->name.container_id, b->name.container_id) == 0 &&
	       strcmp(a->name.pod_uid, b->name.pod_uid) == 0;
}

/* A cgroup of the same container that has its name: one is nested in the other. NULL: none. */
static const struct member *named_relative(const struct members *members,
					   const struct cgroup *cgroup)
{
	const struct member *other;

	for (other = members_first(members); other; other = members_next(other))
		if (other->named && other->owner && same_container(&other->cgroup, cgroup))
			return other;
	return NULL;
}

/* Whether it is the oldest container of its pod that is still there. Ids of cgroups only grow. */
static bool is_oldest(const struct members *members, const struct cgroup *cgroup)
{
	const struct cgroup *other;

	for (other = members->registry.table; other; other = other->hh.next)
		if (other->id < cgroup->id && !other->removed_ns &&
		    other->name.kind == CGROUP_CONTAINER && !same_container(other, cgroup) &&
		    strcmp(other->name.pod_uid, cgroup->name.pod_uid) == 0)
			return false;
	return true;
}

static int find_container(const struct naming *naming, const struct cgroup *cgroup,
			  struct kube_name *out)
{
	const struct kube_cgroup wanted = {
		.pod_uid = cgroup->name.pod_uid,
		.container_id = cgroup->name.container_id,
		.born_ns = (int64_t)cgroup->born_ns,
		.born_wall_ns = (int64_t)wall_time_then(naming->wall, cgroup->born_ns),
		.oldest = is_oldest(naming->members, cgroup),
	};

	return kube_names_find_container(naming->names, &wanted, out);
}

/* The labels of a cgroup of a pod. Returns whether they are final. */
static bool find_in_pod(const struct naming *naming, const struct cgroup *cgroup,
			struct labels *labels)
{
	const struct cgroup_name *name = &cgroup->name;
	struct kube_name found;
	int err;

	if (name->kind == CGROUP_CONTAINER)
		err = find_container(naming, cgroup, &found);
	else
		err = kube_names_find_pod(naming->names, name->pod_uid, (int64_t)cgroup->born_ns,
					  &found);
	if (!found.pod[0])
		snprintf(found.pod, sizeof(found.pod), "%s", name->pod_uid);
	if (!found.container[0] && name->kind == CGROUP_CONTAINER)
		snprintf(found.container, sizeof(found.container), "%.*s", CONTAINER_ID_SHORT,
			 name->container_id);
	pod_labels(labels, &found);
	return !err || !kube_names_known(naming->names);
}

/* The labels of a cgroup by what is known now. Returns whether they are final. */
static bool find_labels(const struct naming *naming, const struct cgroup *cgroup,
			struct labels *labels)
{
	const struct member *relative = named_relative(naming->members, cgroup);

	if (relative) {
		*labels = relative->owner->labels;
		return true;
	}
	if (cgroup->name.pod_uid[0])
		return find_in_pod(naming, cgroup, labels);
	if (cgroup->name.kind == CGROUP_CONTAINER)
		plain_labels(labels, &cgroup->name);
	else
		naming_unit(labels, cgroup->name.unit);
	return true;
}

/* Makes the owner of a cgroup. It is not exported until its name is known. */
static void make_owner(const struct naming *naming, struct member *member,
		       const struct labels *labels)
{
	struct owner *owner = owners_get(naming->owners, labels);

	member->owner = owner;
	if (!owner)
		return;
	if (!member->named && !owner->cgroups)
		owners_hold(owner);
	owner->cgroups++;
}

/* Gives all cgroups of one owner to another: the two turned out to be the same. */
static void move_cgroups(const struct members *members, const struct owner *from, struct owner *to)
{
	struct member *member;

	for (member = members_first(members); member; member = members_next(member))
		if (member->owner == from)
			member->owner = to;
}

/* Gives an owner its new labels. What it counted while it was held back is shown from now on. */
static void rename_owner(const struct naming *naming, struct member *member,
			 const struct labels *labels)
{
	struct owner *before = member->owner;
	bool held = before->held;

	member->owner = owners_rename(naming->owners, before, labels);
	if (member->owner != before)
		move_cgroups(naming->members, before, member->owner);
	if (held && member->named)
		owners_show(member->owner, clock_monotonic_ns());
}

/* Whether the second labels have the pod's name where the first have its uid. */
static bool names_pod(const struct labels *before, const struct labels *now)
{
	return !before->name_space[0] && now->name_space[0];
}

void naming_find(struct naming *naming, struct member *member)
{
	struct labels labels;

	member->named = find_labels(naming, &member->cgroup, &labels);
	if (!member->owner)
		make_owner(naming, member, &labels);
	else if (member->named || names_pod(&member->owner->labels, &labels))
		rename_owner(naming, member, &labels);
	if (member->owner && !naming->sandboxes && labels.pod[0] &&
	    strcmp(labels.container, KUBE_SANDBOX) == 0)
		owners_hide(naming->owners, member->owner);
}

void naming_find_again(struct naming *naming)
{
	struct member *member;

	for (member = members_first(naming->members); member; member = members_next(member))
		if (member->owner && !member->named)
			naming_find(naming, member);
}

/* Shows owners that have waited for their names for too long, by their ids. */
static void show_overdue(const struct members *members, uint64_t now_ns)
{
	struct member *member;

	for (member = members_first(members); member; member = members_next(member))
		if (member->owner && member->owner->held &&
		    grown(now_ns, member->cgroup.seen_ns) > NAMING_WAIT_NS)
			owners_show(member->owner, now_ns);
}

void naming_retry(struct naming *naming, uint64_t now_ns)
{
	if (grown(now_ns, naming->tried_ns) < RETRY_NS)
		return;
	naming->tried_ns = now_ns;
	naming_find_again(naming);
	show_overdue(naming->members, now_ns);
}

void naming_forget(struct naming *naming, struct member *member)
{
	if (member->owner && --member->owner->cgroups == 0)
		owners_remove(naming->owners, member->owner);
	member->owner = NULL;
	if (member->cgroup.name.kind == CGROUP_POD)
		kube_names_forget_pod(naming->names, member->cgroup.name.pod_uid);
}
