/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/naming.h"

#include <stdio.h>
#include <string.h>

#include <utlist.h>

#include "bramble/growth.h"
#include "kube/log_match.h"
#include "kube/plain.h"
#include "util/utf8.h"

/*
 * A round looks for so many names that the kubelet's list tells. Each directory that is read for a
 * name counts as DIRECTORY_COST of them: tens of microseconds.
 */
#define ROUND_COST     1024
#define DIRECTORY_COST 16

/* From the beginning of a round to the next one. */
#define ROUND_MIN_NS   (NS_PER_S / 20)

/*
 * The pauses of the queues. A queue has one pause, so that the first in it is due first. The last
 * look before an owner is shown by its ids has a queue of its own, and comes NAMING_WAIT_NS after
 * the cgroup became known.
 */
enum { QUEUE_NONE, QUEUE_NOW, QUEUE_SHORT, QUEUE_LONG, QUEUE_LAST, QUEUE_RARE };

static const uint64_t pause_ns[NAMING_QUEUES] = {
	[QUEUE_SHORT] = NS_PER_S,
	[QUEUE_LONG] = 2 * NS_PER_S,
	[QUEUE_RARE] = 60 * NS_PER_S,
};

/* For so long after a cgroup became known, its name is looked for after the short pauses. */
#define SHORT_NS (3 * NS_PER_S)

/* ---------------------------------------------------------------- labels */

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

/*
 * Users may write some of the files that have the names of containers outside of pods, and anyone
 * can make up containers. So looking there takes one part of the time in so many. At the beginning
 * there may be many: they have so much time in advance. Later so much is saved at most.
 */
#define OUTSIDE_PART	 20
#define OUTSIDE_FIRST_NS (2 * NS_PER_S)
#define OUTSIDE_SAVED_NS (NS_PER_S / 4)

static bool may_look_outside(struct naming *naming, uint64_t now_ns)
{
	int64_t earned_ns = (int64_t)(grown(now_ns, naming->outside_at_ns) / OUTSIDE_PART);
	int64_t room_ns = (int64_t)OUTSIDE_SAVED_NS - naming->outside_left_ns;

	if (!naming->outside_at_ns)
		naming->outside_left_ns = OUTSIDE_FIRST_NS;
	else if (room_ns > 0)
		naming->outside_left_ns += earned_ns < room_ns ? earned_ns : room_ns;
	naming->outside_at_ns = now_ns;
	return naming->outside_left_ns > 0;
}

/* A container outside of Kubernetes has a name of its own, or its id. */
static void plain_labels(struct naming *naming, struct labels *labels,
			 const struct cgroup_name *name)
{
	uint64_t start_ns = clock_monotonic_ns();
	char found[PLAIN_NAME_SIZE];

	snprintf(found, sizeof(found), "%.*s", CONTAINER_ID_SHORT, name->container_id);
	if (may_look_outside(naming, start_ns)) {
		naming->looks++;
		plain_find("", name->runtime, name->container_id, found);
		naming->outside_left_ns -= (int64_t)grown(clock_monotonic_ns(), start_ns);
	}
	/* Written once: labels are compared whole, also what is behind a text. */
	memset(labels, 0, sizeof(*labels));
	snprintf(labels->container, sizeof(labels->container), "%s", found);
}

/* By the ids of a pod or a container in it. */
static void id_labels(struct labels *labels, const struct cgroup_name *name)
{
	struct kube_name ids = {.namespace = ""};

	snprintf(ids.pod, sizeof(ids.pod), "%s", name->pod_uid);
	snprintf(ids.container, sizeof(ids.container), "%.*s", CONTAINER_ID_SHORT,
		 name->container_id);
	pod_labels(labels, &ids);
}

/* The oldest cgroup of the kin that is there; NULL: none is. */
static const struct cgroup *oldest_alive(const struct kin *kin)
{
	const struct member *member;

	DL_FOREACH2(kin->members, member, kin_next)
	if (!member->cgroup.removed_ns)
		return &member->cgroup;
	return NULL;
}

/* Whether it is the oldest container of its pod that is still there. Ids of cgroups only grow. */
static bool is_oldest(const struct kin *kin)
{
	const struct cgroup *oldest;
	const struct kin *other;

	DL_FOREACH2(kin->pod->containers, other, after)
	{
		oldest = other == kin ? NULL : oldest_alive(other);
		if (oldest && oldest->id < kin->members->cgroup.id)
			return false;
	}
	return true;
}

/*
 * When the kin began: CLOCK_BOOTTIME, 0 if not known. A walk knows it from the processes of a
 * cgroup. If a container keeps all of its processes in nested cgroups, those know it alone.
 */
static uint64_t born_ns(const struct kin *kin)
{
	const struct member *member;

	DL_FOREACH2(kin->members, member, kin_next)
	if (member->cgroup.born_ns)
		return member->cgroup.born_ns;
	return 0;
}

/*
 * Whether born_ns() is exact, and so is its time by the wall clock: the event was that of the
 * container's own cgroup, and not of one in it, and the clock was not set shortly before.
 */
static bool is_exact(const struct naming *naming, const struct kin *kin)
{
	const struct cgroup *cgroup = &kin->members->cgroup;

	return cgroup->born_told && !cgroup->below && cgroup->born_ns > LOG_REST_NS &&
	       strlen(cgroup->path) == cgroup->name.place.container &&
	       wall_ran(naming->wall, cgroup->born_ns - LOG_REST_NS, cgroup->born_ns);
}

static int find_container(const struct naming *naming, const struct kin *kin, struct kube_name *out)
{
	const uint64_t born = born_ns(kin);
	const struct kube_cgroup wanted = {
		.pod_uid = kin->key.pod_uid,
		.container_id = kin->key.container_id,
		.born_ns = (int64_t)born,
		.born_wall_ns = (int64_t)wall_time_then(naming->wall, born),
		.born_exact = is_exact(naming, kin),
		.oldest = is_oldest(kin),
	};

	return kube_names_find_container(naming->names, &wanted, out);
}

/* The labels of a pod or a container in it. Returns whether they are final. */
static bool find_in_pod(const struct naming *naming, const struct kin *kin, struct labels *labels)
{
	const struct cgroup *cgroup = &kin->members->cgroup;
	struct kube_name found;
	struct labels ids;
	int err;

	if (kin->key.container_id[0])
		err = find_container(naming, kin, &found);
	else
		err = kube_names_find_pod(naming->names, kin->key.pod_uid, (int64_t)born_ns(kin),
					  &found);
	pod_labels(labels, &found);
	id_labels(&ids, &cgroup->name);
	if (!labels->pod[0])
		memcpy(labels->pod, ids.pod, sizeof(labels->pod));
	if (!labels->container[0])
		memcpy(labels->container, ids.container, sizeof(labels->container));
	return !err || !kube_names_known(naming->names);
}

/* ---------------------------------------------------------------- queues */

static void unqueue(struct naming *naming, struct kin *kin)
{
	if (kin->queue)
		DL_DELETE2(naming->queue[kin->queue], kin, queue_prev, queue_next);
	kin->queue = QUEUE_NONE;
}

static void enqueue(struct naming *naming, struct kin *kin, unsigned char queue, uint64_t now_ns)
{
	unqueue(naming, kin);
	kin->queue = queue;
	kin->due_ns = now_ns + pause_ns[queue];
	if (queue == QUEUE_LAST)
		kin->due_ns = kin->members->cgroup.seen_ns + NAMING_WAIT_NS;
	DL_APPEND2(naming->queue[queue], kin, queue_prev, queue_next);
}

/* The one that is due first, of those that wait; NULL: none waits. */
static struct kin *first_due(const struct naming *naming)
{
	struct kin *first = NULL;
	size_t i;

	for (i = QUEUE_NOW; i < NAMING_QUEUES; i++)
		if (naming->queue[i] && (!first || naming->queue[i]->due_ns < first->due_ns))
			first = naming->queue[i];
	return first;
}

uint64_t naming_due_ns(const struct naming *naming)
{
	const struct kin *first = first_due(naming);
	uint64_t round_ns = naming->round_ns + ROUND_MIN_NS;

	if (!first)
		return UINT64_MAX;
	return first->due_ns > round_ns ? first->due_ns : round_ns;
}

/* ---------------------------------------------------------------- owners */

/* Gives a cgroup that has none an owner. */
static void join_owner(struct member *member, struct owner *owner)
{
	member->owner = owner;
	owner->cgroups++;
	DL_APPEND2(owner->members, member, owner_prev, owner_next);
	if (!member->kin)
		return;
	member->kin->owner = owner;
	member->kin->owned++;
}

/* Makes the owner of a cgroup. It is not exported until its name is known. */
static void make_owner(const struct naming *naming, struct member *member,
		       const struct labels *labels)
{
	struct owner *owner;

	naming->owners->pods = naming->members->pods;
	owner = owners_get(naming->owners, labels);
	if (!owner)
		return;
	if (member->kin && owner == naming->owners->refuge)
		member->kin->named = true; /* it is not to be renamed */
	if (member->kin && !member->kin->named && !owner->cgroups)
		owners_hold(owner);
	join_owner(member, owner);
}

void naming_own(struct naming *naming, struct member *member)
{
	struct kin *kin = member->kin;
	struct labels labels;

	if (member->owner)
		return;
	if (kin && kin->owner) {
		join_owner(member, kin->owner);
		return;
	}
	if (!kin) {
		naming_unit(&labels, member->cgroup.name.unit);
	} else if (kin->key.pod_uid[0]) {
		id_labels(&labels, &member->cgroup.name);
		kin->named = !kube_names_known(naming->names);
	} else {
		plain_labels(naming, &labels, &member->cgroup.name);
		kin->named = true;
	}
	make_owner(naming, member, &labels);
	naming_expect(naming, member);
}

void naming_expect(struct naming *naming, struct member *member)
{
	struct kin *kin = member->kin;

	if (kin && kin->key.pod_uid[0] && !kin->named && !kin->queue)
		enqueue(naming, kin, QUEUE_NOW, clock_monotonic_ns());
}

/* All cgroups of one owner are another's from now on: the two turned out to be the same. */
static void move_cgroups(struct member *list, struct owner *to)
{
	struct member *member;

	DL_FOREACH2(list, member, owner_next)
	{
		member->owner = to;
		if (member->kin)
			member->kin->owner = to;
	}
	DL_CONCAT2(to->members, list, owner_prev, owner_next);
}

/* Gives an owner its new labels. What it counted while it was held back is shown from now on. */
static void rename_owner(const struct naming *naming, const struct kin *kin,
			 const struct labels *labels)
{
	struct owner *before = kin->owner, *now;
	struct member *list = before->members;
	bool held = before->held;

	now = owners_rename(naming->owners, before, labels);
	if (now != before)
		move_cgroups(list, now);
	if (held && kin->named)
		owners_show(now);
}

/* Whether the second labels have the pod's name where the first have its uid. */
static bool names_pod(const struct labels *before, const struct labels *now)
{
	return !before->name_space[0] && now->name_space[0];
}

/* ---------------------------------------------------------------- rounds */

/* Looks for the name of a pod or a container in it, and makes or renames its owner. */
static void look(struct naming *naming, struct kin *kin)
{
	struct labels labels;

	/* There was no place for an owner of its own. The refuge keeps its labels. */
	if (kin->owner && kin->owner == naming->owners->refuge) {
		kin->named = true;
		return;
	}
	naming->looks++;
	kin->named = find_in_pod(naming, kin, &labels);
	if (!kin->owner)
		make_owner(naming, kin->members, &labels);
	else if (kin->named || names_pod(&kin->owner->labels, &labels))
		rename_owner(naming, kin, &labels);
	if (kin->owner && kin->owner != naming->owners->refuge && !naming->sandboxes &&
	    strcmp(labels.container, KUBE_SANDBOX) == 0)
		owners_hide(naming->owners, kin->owner);
}

/* A name was not found: it is looked for again after a pause, which depends on its age. */
static void look_later(struct naming *naming, struct kin *kin, uint64_t now_ns)
{
	uint64_t age_ns = grown(now_ns, kin->members->cgroup.seen_ns);

	if (age_ns < SHORT_NS) {
		enqueue(naming, kin, QUEUE_SHORT, now_ns);
		return;
	}
	if (age_ns < NAMING_WAIT_NS) {
		bool last = age_ns + pause_ns[QUEUE_LONG] >= NAMING_WAIT_NS;

		enqueue(naming, kin, last ? QUEUE_LAST : QUEUE_LONG, now_ns);
		return;
	}
	enqueue(naming, kin, QUEUE_RARE, now_ns);
	if (kin->owner && kin->owner->held)
		owners_show(kin->owner);
}

/* until_ns: what is due by then is looked for. It is less than the shortest pause after now_ns. */
static void run_round(struct naming *naming, uint64_t now_ns, uint64_t until_ns)
{
	uint64_t reads = kube_names_reads(naming->names), cost = 0, end;
	struct kin *kin;

	naming->round_ns = now_ns;
	kube_names_begin_round(naming->names);
	while (cost < ROUND_COST && (kin = first_due(naming)) && kin->due_ns <= until_ns) {
		look(naming, kin);
		if (kin->named)
			unqueue(naming, kin);
		else
			look_later(naming, kin, now_ns);
		end = kube_names_reads(naming->names);
		cost += 1 + (end - reads) * DIRECTORY_COST;
		reads = end;
	}
}

void naming_run(struct naming *naming, uint64_t now_ns)
{
	if (naming_due_ns(naming) <= now_ns)
		run_round(naming, now_ns, now_ns);
}

void naming_run_for_reader(struct naming *naming, uint64_t now_ns)
{
	const uint64_t until_ns = now_ns + pause_ns[QUEUE_SHORT] - 1;
	const struct kin *first = first_due(naming);

	if (first && first->due_ns <= until_ns)
		run_round(naming, now_ns, until_ns);
}

void naming_answered(struct naming *naming)
{
	struct kin *kin, *next;
	unsigned char i;

	for (i = QUEUE_SHORT; i < NAMING_QUEUES; i++)
		DL_FOREACH_SAFE2(naming->queue[i], kin, next, queue_next)
	if (kube_names_pod(naming->names, kin->key.pod_uid))
		enqueue(naming, kin, QUEUE_NOW, clock_monotonic_ns());
}

void naming_forget(struct naming *naming, struct member *member)
{
	struct owner *owner = member->owner;
	struct kin *kin = member->kin;

	if (kin && kin->count == 1)
		unqueue(naming, kin);
	if (member->cgroup.name.kind == CGROUP_POD)
		kube_names_forget_pod(naming->names, member->cgroup.name.pod_uid);
	if (!owner)
		return;
	member->owner = NULL;
	DL_DELETE2(owner->members, member, owner_prev, owner_next);
	if (kin && --kin->owned == 0) {
		kin->owner = NULL;
		kin->named = false;
	}
	if (--owner->cgroups == 0)
		owners_discard(naming->owners, owner);
}
