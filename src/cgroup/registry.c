/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

/* Longer paths are not kept whole. Paths that a kubelet or a container engine makes are shorter. */
#define PATH_KEPT 512

void registry_open(struct registry *registry, size_t entry_size)
{
	*registry = (struct registry){.entry_size = entry_size};
}

struct cgroup *registry_find(const struct registry *registry, uint64_t id)
{
	struct cgroup *cgroup;

	HASH_FIND(hh, registry->table, &id, sizeof(id), cgroup);
	return cgroup;
}

/* Keeps a path. One that is too long is cut to that of a cgroup above it. */
static bool keep_path(struct cgroup *cgroup, const char *path)
{
	size_t len = strnlen(path, PATH_KEPT);

	if (len == PATH_KEPT) {
		cgroup->below = true;
		while (len && path[--len] != '/')
			;
	}
	cgroup->path = strndup(path, len);
	return cgroup->path;
}

struct cgroup *registry_add(struct registry *registry, uint64_t id, const char *path,
			    uint64_t born_ns)
{
	struct cgroup *cgroup = registry_find(registry, id);

	if (cgroup)
		return cgroup;
	cgroup = calloc(1, registry->entry_size);
	if (!cgroup)
		return NULL;
	if (!keep_path(cgroup, path) ||
	    claims_name(&registry->claims, path, &cgroup->name, &cgroup->claim)) {
		free(cgroup->path);
		free(cgroup);
		return NULL;
	}
	cgroup->id = id;
	cgroup->born_ns = born_ns;
	cgroup->born_told = born_ns != 0;
	cgroup->seen_ns = clock_monotonic_ns();
	cgroup->walk = registry->walk;
	if (!HASH_TRY_ADD(hh, registry->table, &cgroup->id, sizeof(cgroup->id), cgroup)) {
		claims_drop(&registry->claims, cgroup->claim);
		free(cgroup->path);
		free(cgroup);
		return NULL;
	}
	if (registry->hooks && registry->hooks->added(registry->context, cgroup)) {
		registry_remove(registry, cgroup);
		return NULL;
	}
	return cgroup;
}

struct cgroup *registry_add_below(struct registry *registry, uint64_t id, const char *above,
				  uint64_t born_ns)
{
	struct cgroup *cgroup = registry_find(registry, id);

	if (cgroup)
		return cgroup;
	cgroup = registry_add(registry, id, above, born_ns);
	if (cgroup)
		cgroup->below = true;
	return cgroup;
}

void registry_remove(struct registry *registry, struct cgroup *cgroup)
{
	/* The analyzer does not see that an element is off uthash's list before it is freed. */
	HASH_DEL(registry->table, cgroup); /* NOLINT(clang-analyzer-unix.Malloc) */
	claims_drop(&registry->claims, cgroup->claim);
	free(cgroup->path);
	free(cgroup);
}

void registry_free(struct registry *registry)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, registry->table, cgroup, next)
		registry_remove(registry, cgroup);
}
