/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/workloads.h"

#include <errno.h>
#include <stdlib.h>

/* By owner; the newest cgroup first, as ids of cgroups only grow. */
static int by_owner(const void *left, const void *right)
{
	const struct member *a = *(struct member *const *)left;
	const struct member *b = *(struct member *const *)right;

	if (a->owner != b->owner)
		return a->owner < b->owner ? -1 : 1;
	return a->cgroup.id > b->cgroup.id ? -1 : a->cgroup.id < b->cgroup.id;
}

static int compare_owners(const void *key, const void *item)
{
	const struct owner *owner = key;
	const struct owner_workload *found = item;

	return owner < found->owner ? -1 : owner > found->owner;
}

static const struct workload *workload_told(const struct kube_names *names, const char *pod_uid)
{
	const struct kube_pod *pod = kube_names_pod(names, pod_uid);

	return pod && pod->workload.name[0] ? &pod->workload : NULL;
}

/* The members of pods, sorted. Returns how many. */
static size_t sort_members(const struct members *members, struct member **list)
{
	struct member *member;
	size_t count = 0;

	for (member = members_first(members); member; member = members_next(member))
		if (member->owner && member->owner->labels.pod[0])
			list[count++] = member;
	if (count)
		qsort(list, count, sizeof(struct member *), by_owner);
	return count;
}

int workloads_read(const struct members *members, const struct kube_names *names,
		   struct workloads *out)
{
	size_t i, count = HASH_COUNT(members->registry.table) + 1;
	struct member **list = calloc(count, sizeof(struct member *));

	*out = (struct workloads){.list = calloc(count, sizeof(*out->list))};
	if (!list || !out->list) {
		free(list);
		workloads_free(out);
		return -ENOMEM;
	}
	count = sort_members(members, list);
	for (i = 0; i < count; i++) {
		const struct owner *owner = list[i]->owner;
		const struct workload *told = workload_told(names, list[i]->cgroup.name.pod_uid);

		if (told && (!out->count || out->list[out->count - 1].owner != owner))
			out->list[out->count++] = (struct owner_workload){owner, told};
	}
	free(list);
	return 0;
}

void workloads_free(struct workloads *workloads)
{
	free(workloads->list);
	*workloads = (struct workloads){0};
}

const struct workload *workloads_find(const struct workloads *workloads, const struct owner *owner)
{
	const struct owner_workload *found = NULL;

	if (workloads->count)
		found = bsearch(owner, workloads->list, workloads->count, sizeof(*found),
				compare_owners);
	return found ? found->workload : NULL;
}
