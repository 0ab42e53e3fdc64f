/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/tops.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/unit.h"

/* A cgroup, in the order of paths: the cgroups below it follow it. */
struct place {
	struct cgroup *cgroup;
	size_t parent; /* the nearest cgroup above it; itself if there is none */
	size_t top;    /* the uppermost cgroup of the same container or unit */
};

static unsigned int rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c + 1U;
}

static int compare(const void *a, const void *b)
{
	const char *x = ((const struct place *)a)->cgroup->path;
	const char *y = ((const struct place *)b)->cgroup->path;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	return (int)rank(*x) - (int)rank(*y);
}

static bool is_below(const struct cgroup *cgroup, const struct cgroup *above)
{
	size_t len = strlen(above->path);

	if (len == 1)
		return true;
	return strncmp(cgroup->path, above->path, len) == 0 && cgroup->path[len] == '/';
}

static bool is_same(const struct cgroup_name *a, const struct cgroup_name *b)
{
	return a->kind == b->kind && strcmp(a->container_id, b->container_id) == 0 &&
	       strcmp(a->pod_uid, b->pod_uid) == 0 && strcmp(a->unit, b->unit) == 0;
}

/*
 * A group has no tasks itself, but its files include what its removed members have used. Not every
 * group can be known by its name. So a cgroup that once had others below it is a group for good.
 */
static bool is_wanted(const struct place *places, size_t i)
{
	const struct cgroup *cgroup = places[i].cgroup;

	if (places[i].top != i || cgroup->held_others)
		return false;
	return cgroup->name.kind == CGROUP_CONTAINER ||
	       (cgroup->name.kind == CGROUP_UNIT && !unit_is_group(cgroup->name.unit));
}

/* Finds the cgroup above one, and marks cgroups that hold another container or unit. */
static void put_in(struct place *places, size_t i)
{
	size_t above = i ? i - 1 : 0;

	places[i].parent = places[i].top = i;
	while (i && !is_below(places[i].cgroup, places[above].cgroup)) {
		if (places[above].parent == above)
			return;
		above = places[above].parent;
	}
	if (!i)
		return;
	places[i].parent = above;
	if (is_same(&places[i].cgroup->name, &places[above].cgroup->name)) {
		places[i].top = places[above].top;
		return;
	}
	for (;; above = places[above].parent) {
		places[places[above].top].cgroup->held_others = true;
		if (places[above].parent == above)
			return;
	}
}

int cgroup_tops_find(const struct registry *registry, struct cgroup ***tops, size_t *count)
{
	size_t all = HASH_COUNT(registry->table), used = 0, i;
	struct place *places = calloc(all + 1, sizeof(*places));
	struct cgroup *cgroup;

	*count = 0;
	*tops = calloc(all + 1, sizeof(struct cgroup *));
	if (!places || !*tops) {
		free(places);
		free(*tops);
		*tops = NULL;
		return -ENOMEM;
	}
	for (cgroup = registry->table; cgroup; cgroup = cgroup->hh.next)
		if (!cgroup->removed_ns && cgroup->path[0] && !cgroup->below)
			places[used++].cgroup = cgroup;
	qsort(places, used, sizeof(*places), compare);
	for (i = 0; i < used; i++)
		put_in(places, i);
	for (i = 0; i < used; i++)
		if (is_wanted(places, i))
			(*tops)[(*count)++] = places[i].cgroup;
	free(places);
	return 0;
}
