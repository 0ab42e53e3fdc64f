/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/part.h"
#include "util/array.h"

/* Only root can make cgroups in the root of the hierarchy, and so in these. */
static const char *const known_roots[] = {"", "/kubelet", "/kubelet.slice"};

bool pod_root_valid(const char *path)
{
	struct cgroup_name name;

	return cgroup_path_parse(path, &name) == 0;
}

/* Whether two paths have the same components. */
static bool same_path(struct slice a, struct slice b)
{
	struct slice x, y;
	bool more;

	do {
		more = next_part(&a, &x);
		if (next_part(&b, &y) != more)
			return false;
		if (more && (x.len != y.len || memcmp(x.at, y.at, x.len) != 0))
			return false;
	} while (more);
	return true;
}

/*
 * Writes a cgroup root as the kubelet's driver "systemd" does: "/a/b-c" is "/a.slice/a-b_c.slice"
 * (CgroupName.ToSystemd() in pkg/kubelet/cm). Returns false if that is too long.
 */
static bool to_slices(const char *given, char *out, size_t size)
{
	struct slice rest = slice_of(given), part;
	char name[PATH_MAX] = "";
	size_t len = 0, used = 0, i;

	out[0] = '\0';
	while (next_part(&rest, &part)) {
		if (len + part.len + 2 > sizeof(name))
			return false;
		if (len)
			name[len++] = '-';
		for (i = 0; i < part.len; i++)
			name[len++] = part.at[i] == '-' ? '_' : part.at[i];
		if (used + len + sizeof("/.slice") > size)
			return false;
		used += (size_t)snprintf(out + used, size - used, "/%.*s.slice", (int)len, name);
	}
	return true;
}

static bool is_there(const char *mount, const char *root)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s%s", mount, root) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

size_t pod_roots_find(const struct pod_roots *roots, struct buf *found, const char **missing)
{
	/* Where kubelets have their pods below these roots, by either driver. */
	static const char *const pods[] = {"/kubepods", "/kubepods.slice", "/kubelet/kubepods",
					   "/kubelet.slice/kubelet-kubepods.slice"};
	char slices[PATH_MAX];
	size_t i, count = 0;

	*missing = NULL;
	for (i = 0; i < roots->given_count; i++) {
		const char *given = roots->given[i];

		if (!is_there(roots->mount, given) &&
		    !(to_slices(given, slices, sizeof(slices)) && is_there(roots->mount, slices)))
			*missing = given;
		else
			buf_printf(found, "%s%s", count++ ? " " : "", given);
	}
	for (i = 0; i < ARRAY_SIZE(pods); i++)
		if (is_there(roots->mount, pods[i]))
			buf_printf(found, "%s%s", count++ ? " " : "", pods[i]);
	return count;
}

static bool is_given(const struct pod_roots *roots, struct slice root)
{
	char slices[PATH_MAX];
	size_t i;

	for (i = 0; i < roots->given_count; i++) {
		if (same_path(slice_of(roots->given[i]), root))
			return true;
		if (to_slices(roots->given[i], slices, sizeof(slices)) &&
		    same_path(slice_of(slices), root))
			return true;
	}
	return false;
}

static bool is_known(struct slice root)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_roots); i++)
		if (same_path(slice_of(known_roots[i]), root))
			return true;
	return false;
}

int trust_only_root(const struct pod_roots *roots, const char *path, size_t len)
{
	size_t base = roots->mount ? strlen(roots->mount) : 0, end = base;
	struct stat top, st;
	char file[PATH_MAX];

	if (!base || base + len >= sizeof(file))
		return -ENOENT;
	memcpy(file, roots->mount, base);
	memcpy(file + base, path, len);
	file[base + len] = '\0';
	if (stat(roots->mount, &top))
		return -errno;
	/* From the root down: each name ends at a slash or at the end. */
	while (end < base + len) {
		end++;
		while (end < base + len && file[end] != '/')
			end++;
		file[end] = '\0';
		if (lstat(file, &st))
			return -errno;
		if (st.st_uid != top.st_uid || st.st_mode & (S_IWGRP | S_IWOTH))
			return 0;
		if (end < base + len)
			file[end] = '/';
	}
	return 1;
}

enum cgroup_trust trust_path(const struct pod_roots *roots, const char *path,
			     const struct cgroup_name *name)
{
	struct slice root = {path, name->place.root};

	if (name->pod_uid[0] && (is_known(root) || is_given(roots, root)))
		return TRUST_KUBELET;
	return trust_only_root(roots, path, name->place.above) == 1 ? TRUST_OWNER : TRUST_NONE;
}
