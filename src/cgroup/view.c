/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/view.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup/mount.h"
#include "util/log.h"

void cgroup_view_open(struct cgroup_view *view, const char *mount)
{
	*view = (struct cgroup_view){.mount = mount, .whole = cgroup2_is_whole(mount)};
}

void cgroup_view_close(struct cgroup_view *view)
{
	free(view->part);
	view->part = NULL;
}

static bool is_at(const struct cgroup_view *view, uint64_t id, const char *path)
{
	char file[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(file, sizeof(file), "%s%s", view->mount, path) >= sizeof(file))
		return false;
	return lstat(file, &st) == 0 && st.st_ino == id;
}

/* Finds out which part is shown: the one that the rest of the path is below. */
static void find_part(struct cgroup_view *view, uint64_t id, const char *path)
{
	const char *rest;

	for (rest = path; rest; rest = strchr(rest + 1, '/')) {
		if (!is_at(view, id, rest))
			continue;
		view->part = strndup(path, (size_t)(rest - path));
		if (!view->part)
			return;
		view->part_len = (size_t)(rest - path);
		log_info("the cgroups under %s are those of %s", view->mount,
			 view->part_len ? view->part : "/");
		return;
	}
}

const char *cgroup_view_path(struct cgroup_view *view, uint64_t id, const char *path)
{
	if (view->whole || path[0] != '/')
		return path;
	if (!view->part)
		find_part(view, id, path);
	if (!view->part || strncmp(path, view->part, view->part_len) != 0)
		return path;
	if (!path[view->part_len])
		return "/";
	return path[view->part_len] == '/' ? path + view->part_len : path;
}
