/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/home.h"

#include <string.h>

#include "cgroup/part.h"
#include "cgroup/unit.h"

size_t cgroup_parent_len(const char *path, size_t len)
{
	while (len && path[--len] != '/')
		;
	while (len && path[len - 1] == '/')
		len--;
	return len;
}

static void copy_path(char to[CGROUP_PATH_LIMIT], const char *path, size_t len)
{
	if (len >= CGROUP_PATH_LIMIT)
		len = CGROUP_PATH_LIMIT - 1;
	memcpy(to, path, len);
	to[len] = '\0';
}

static bool has_ids(const char *path, const struct cgroup_name *name)
{
	struct cgroup_name found;

	return !cgroup_path_parse(path, &found) && found.kind == name->kind &&
	       strcmp(found.pod_uid, name->pod_uid) == 0 &&
	       strcmp(found.container_id, name->container_id) == 0;
}

/* Whether a path has a name. unit: that of the cgroup's own path, which its pods do not change. */
static bool has_name(const char *path, const struct cgroup_name *name, const char *unit)
{
	char found[CGROUP_UNIT_SIZE];

	if (name->kind == CGROUP_CONTAINER || name->kind == CGROUP_POD)
		return has_ids(path, name);
	return name->kind == CGROUP_UNIT && unit_of_path(path, found) && strcmp(found, unit) == 0;
}

/*
 * Homes are not that deep. What is nested in them is as deep as whoever made it liked: to look at
 * each of 440 levels took 2 ms.
 */
#define HOME_LEVELS 24

/* The length of the uppermost levels of a path that a home can be in. */
static size_t upper_len(const char *path, size_t len)
{
	unsigned int levels = 0;
	size_t i;

	for (i = 1; i < len; i++)
		if (path[i] == '/' && path[i - 1] != '/' && ++levels == HOME_LEVELS)
			return i;
	return len;
}

size_t cgroup_home_len(const char *path, const struct cgroup_name *name)
{
	char above[CGROUP_PATH_LIMIT], unit[CGROUP_UNIT_SIZE];
	size_t home = strnlen(path, sizeof(above) - 1), len = upper_len(path, home);

	copy_path(above, path, home);
	unit_of_path(above, unit);
	above[len] = '\0';
	if (len < home && !has_name(above, name, unit))
		return home;
	home = len;
	while ((len = cgroup_parent_len(above, len)) > 0) {
		above[len] = '\0';
		if (!has_name(above, name, unit))
			break;
		home = len;
	}
	return home;
}

static bool holds_pods(const char *unit)
{
	return unit_is_group(unit) &&
	       (slice_starts(slice_of(unit), KUBEPODS) || strstr(unit, "-" KUBEPODS));
}

static enum cgroup_home_kind kind_in_pod(const char *parent, const struct cgroup_name *name)
{
	struct cgroup_name pod = {.kind = CGROUP_POD};

	if (name->kind == CGROUP_POD)
		return HOME_POD;
	memcpy(pod.pod_uid, name->pod_uid, sizeof(pod.pod_uid));
	if (has_ids(parent, &pod) && cgroup_home_len(parent, &pod) == strlen(parent))
		return HOME_CONTAINER;
	return HOME_CONTAINER_FAR;
}

enum cgroup_home_kind cgroup_home_kind(const char *home, const struct cgroup_name *name,
				       size_t *above)
{
	char parent[CGROUP_PATH_LIMIT] = "", unit[CGROUP_UNIT_SIZE];
	const struct cgroup_name around = {.kind = CGROUP_UNIT};
	size_t len;

	if (name->kind == CGROUP_ROOT || name->kind == CGROUP_UNKNOWN)
		return HOME_ROOT;
	copy_path(parent, home, cgroup_parent_len(home, strlen(home)));
	if (name->pod_uid[0])
		return kind_in_pod(parent, name);
	if (name->kind == CGROUP_UNIT && holds_pods(name->unit))
		return HOME_PODS;
	if (name->kind == CGROUP_UNIT && unit_is_group(name->unit))
		return HOME_GROUP;
	/* A group can be in a unit, too: "/delegated/kubepods" is what a stranger made. */
	do {
		if (!unit_of_path(parent, unit))
			return HOME_UNIT;
		len = strlen(parent);
		parent[cgroup_parent_len(parent, len)] = '\0';
	} while (unit_is_group(unit));
	copy_path(parent, home, len);
	*above = cgroup_home_len(parent, &around);
	return HOME_MEMBER;
}
