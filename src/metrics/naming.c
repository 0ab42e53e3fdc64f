/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/naming.h"

#include <stdio.h>
#include <string.h>

#include "kube/plain.h"
#include "util/utf8.h"

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

/* Another cgroup of the same container that has its name: one is in the other. NULL: none. */
static const struct cgroup *named_relative(const struct registry *registry,
					   const struct cgroup *cgroup)
{
	const struct cgroup *other;

	for (other = registry->table; other; other = other->hh.next)
		if (other->named && other->owner && same_container(other, cgroup))
			return other;
	return NULL;
}

/* Whether no container of its pod that is still there was made before; ids only grow. */
static bool is_oldest(const struct registry *registry, const struct cgroup *cgroup)
{
	const struct cgroup *other;

	for (other = registry->table; other; other = other->hh.next)
		if (other->id < cgroup->id && !other->removed_ns &&
		    other->name.kind == CGROUP_CONTAINER && !same_container(other, cgroup) &&
		    strcmp(other->name.pod_uid, cgroup->name.pod_uid) == 0)
			return false;
	return true;
}

static int find_container(const struct registry *registry, struct kube_names *names,
			  const struct wall *wall, const struct cgroup *cgroup,
			  struct kube_name *out)
{
	const struct kube_cgroup wanted = {
		.pod_uid = cgroup->name.pod_uid,
		.container_id = cgroup->name.container_id,
		.born_ns = (int64_t)cgroup->born_ns,
		.born_wall_ns = (int64_t)wall_time_then(wall, cgroup->born_ns),
		.oldest = is_oldest(registry, cgroup),
	};

	return kube_names_find_container(names, &wanted, out);
}

bool naming_find(const struct registry *registry, struct kube_names *names, const struct wall *wall,
		 const struct cgroup *cgroup, struct labels *labels)
{
	const struct cgroup_name *name = &cgroup->name;
	const struct cgroup *relative = named_relative(registry, cgroup);
	struct kube_name found;
	int err;

	if (relative) {
		*labels = relative->owner->labels;
		return true;
	}
	if (!name->pod_uid[0]) {
		if (name->kind == CGROUP_CONTAINER)
			plain_labels(labels, name);
		else
			naming_unit(labels, name->unit);
		return true;
	}
	if (name->kind == CGROUP_CONTAINER)
		err = find_container(registry, names, wall, cgroup, &found);
	else
		err = kube_names_find_pod(names, name->pod_uid, (int64_t)cgroup->born_ns, &found);
	if (!found.pod[0])
		snprintf(found.pod, sizeof(found.pod), "%s", name->pod_uid);
	if (!found.container[0] && name->kind == CGROUP_CONTAINER)
		snprintf(found.container, sizeof(found.container), "%.*s", CONTAINER_ID_SHORT,
			 name->container_id);
	pod_labels(labels, &found);
	return !err || !kube_names_known(names);
}
