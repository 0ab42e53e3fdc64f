/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "metrics/naming.h"

/* Ids of cgroups only grow. So the first of those with one name is the one that was made last. */
static int newest_first(const struct member *a, const struct member *b)
{
	return a->cgroup.id > b->cgroup.id ? -1 : a->cgroup.id < b->cgroup.id;
}

static int by_pod(const void *left, const void *right)
{
	const struct member *a = *(struct member *const *)left;
	const struct member *b = *(struct member *const *)right;
	int order = strcmp(a->owner->labels.name_space, b->owner->labels.name_space);

	order = order ? order : strcmp(a->owner->labels.pod, b->owner->labels.pod);
	return order ? order : newest_first(a, b);
}

static int by_container(const void *left, const void *right)
{
	const struct member *a = *(struct member *const *)left;
	const struct member *b = *(struct member *const *)right;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return newest_first(a, b);
}

static bool same_pod(const struct member *a, const struct member *b)
{
	return strcmp(a->owner->labels.name_space, b->owner->labels.name_space) == 0 &&
	       strcmp(a->owner->labels.pod, b->owner->labels.pod) == 0;
}

static const struct pod_container *find_container(const struct kube_pod *pod,
						  const struct cgroup_name *name)
{
	return pod ? pod_find_container(pod, name->container_id) : NULL;
}

/* An info that was shown once never shows less. */
static unsigned char tell(unsigned char before, bool known, bool waited)
{
	if (known)
		return TOLD_ALL;
	return before == TOLD_NOTHING && waited ? TOLD_PART : before;
}

void infos_update(struct members *members, const struct kube_names *names, uint64_t now_ns)
{
	bool asked = kube_names_kubelet(names);
	struct member *member;

	for (member = members_first(members); member; member = members_next(member)) {
		const struct cgroup_name *name = &member->cgroup.name;
		const struct kube_pod *pod;
		bool waited;

		if (!name->pod_uid[0] ||
		    (member->pod_told == TOLD_ALL && member->container_told == TOLD_ALL))
			continue;
		pod = kube_names_pod(names, name->pod_uid);
		waited = !asked || grown(now_ns, member->cgroup.seen_ns) > NAMING_WAIT_NS;
		member->pod_told = tell(member->pod_told, pod, waited);
		member->container_told =
			tell(member->container_told,
			     name->kind != CGROUP_CONTAINER || find_container(pod, name), waited);
	}
}

/* Whether an info may be shown: it shows all, or the part that it has shown before. */
static bool is_told(unsigned char told, bool known)
{
	return told == TOLD_PART || (told == TOLD_ALL && known);
}

/* The counts of a pod without a name have its uid, and no query joins them. */
static bool is_of_named_pod(const struct member *member)
{
	return member->owner && !member->owner->summed && member->cgroup.name.pod_uid[0] &&
	       member->owner->labels.name_space[0];
}

static bool tells_of_pod(const struct kube_names *names, const struct member *member)
{
	return is_of_named_pod(member) &&
	       is_told(member->pod_told, kube_names_pod(names, member->cgroup.name.pod_uid));
}

static bool tells_of_container(const struct kube_names *names, const struct member *member)
{
	const struct cgroup_name *name = &member->cgroup.name;

	if (!member->owner || name->kind != CGROUP_CONTAINER || !owner_has_series(member->owner))
		return false;
	if (member->owner->labels.unit[0]) /* there was no place for an owner of its own */
		return false;
	if (!name->pod_uid[0])
		return true;
	return is_of_named_pod(member) &&
	       is_told(member->container_told,
		       find_container(kube_names_pod(names, name->pod_uid), name));
}

/* The members for which the test is true, in order. */
static size_t sort_members(const struct members *members, const struct kube_names *names,
			   bool (*test)(const struct kube_names *, const struct member *),
			   int (*order)(const void *, const void *), struct member **list)
{
	struct member *member;
	size_t count = 0;

	for (member = members_first(members); member; member = members_next(member))
		if (test(names, member))
			list[count++] = member;
	if (count)
		qsort(list, count, sizeof(struct member *), order);
	return count;
}

static void add_pods(const struct kube_names *names, struct member **list, size_t count,
		     struct infos *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0 && same_pod(list[i - 1], list[i]))
			continue;
		out->pods[out->pod_count++] = (struct pod_info){
			.labels = &list[i]->owner->labels,
			.cgroup = &list[i]->cgroup.name,
			.pod = kube_names_pod(names, list[i]->cgroup.name.pod_uid),
		};
	}
}

static const char *image_of(const struct kube_names *names, const struct cgroup_name *name)
{
	const struct pod_container *container =
		find_container(kube_names_pod(names, name->pod_uid), name);

	return container ? container->image : "";
}

static void add_containers(const struct kube_names *names, struct member **list, size_t count,
			   struct infos *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0 && list[i - 1]->owner == list[i]->owner)
			continue;
		out->containers[out->container_count++] = (struct container_info){
			.labels = &list[i]->owner->labels,
			.id = list[i]->cgroup.name.container_id,
			.image = image_of(names, &list[i]->cgroup.name),
		};
	}
}

int infos_read(const struct members *members, const struct kube_names *names, struct infos *out)
{
	size_t count = HASH_COUNT(members->registry.table) + 1;
	struct member **list = calloc(count, sizeof(struct member *));

	*out = (struct infos){
		.pods = calloc(count, sizeof(*out->pods)),
		.containers = calloc(count, sizeof(*out->containers)),
	};
	if (!list || !out->pods || !out->containers) {
		free(list);
		infos_free(out);
		return -ENOMEM;
	}
	count = sort_members(members, names, tells_of_pod, by_pod, list);
	add_pods(names, list, count, out);
	count = sort_members(members, names, tells_of_container, by_container, list);
	add_containers(names, list, count, out);
	free(list);
	return 0;
}

void infos_free(struct infos *infos)
{
	free(infos->pods);
	free(infos->containers);
	*infos = (struct infos){0};
}
