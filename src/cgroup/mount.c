/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/mount.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/mountinfo.h"
#include "util/slice.h"

static bool has_option(const char *options, const char *wanted)
{
	struct slice rest = slice_of(options ?: ""), option;

	while (slice_next_word(&rest, ',', &option))
		if (slice_is(option, wanted))
			return true;
	return false;
}

/*
 * How much of the hierarchy a mount shows. A root like "/../.." lies above the cgroup namespace of
 * this process, one level for each "..". "/" is the namespace's own root. Any other root lies
 * below.
 */
static int rank_root(const char *root)
{
	struct slice rest = slice_of(root), level;
	int rank;

	for (rank = 1; slice_next_word(&rest, '/', &level); rank++)
		if (!slice_is(level, ".."))
			return 0;
	return rank;
}

/* Takes over what a line says. *rank is the rank of the best mount so far. */
static void take_line(char *line, struct cgroup2_mount *out, int *rank)
{
	struct mount_entry mount;

	if (!mountinfo_split(line, &mount))
		return;
	if (strcmp(mount.type, "cgroup") == 0) {
		out->v1 = true;
		out->v1_memory = out->v1_memory || has_option(mount.options, "memory");
	} else if (strcmp(mount.type, "cgroup2") == 0 && rank_root(mount.root) > *rank) {
		*rank = rank_root(mount.root);
		snprintf(out->path, sizeof(out->path), "%s", mount.point);
	}
}

static int read_mountinfo(const char *procfs, struct cgroup2_mount *out)
{
	char path[PATH_MAX], *line = NULL;
	int rank = -1, err = 0;
	size_t size = 0;
	FILE *file;

	if ((size_t)snprintf(path, sizeof(path), "%s/self/mountinfo", procfs) >= sizeof(path))
		return -ENAMETOOLONG;
	file = fopen(path, "re");
	if (!file)
		return -errno;
	errno = 0;
	while (getline(&line, &size, file) > 0)
		take_line(line, out, &rank);
	if (!feof(file)) /* errors of the file and of memory */
		err = errno ? -errno : -EIO;
	free(line);
	(void)fclose(file);
	return err;
}

static int is_cgroup2(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int take_wanted(const char *wanted, struct cgroup2_mount *out)
{
	int found = is_cgroup2(wanted);

	if (found < 0)
		return found;
	if ((size_t)snprintf(out->path, sizeof(out->path), "%s%s", wanted,
			     found ? "" : "/unified") >= sizeof(out->path))
		found = -ENAMETOOLONG;
	else if (!found)
		found = is_cgroup2(out->path);
	if (found == 1)
		return 0;
	out->path[0] = '\0';
	return found == 0 || found == -ENOENT ? -EMEDIUMTYPE : found;
}

/* Only the root of the hierarchy has no events of its own: kernel/cgroup/cgroup.c. */
bool cgroup2_is_whole(const char *path)
{
	char file[PATH_MAX];

	if ((size_t)snprintf(file, sizeof(file), "%s/cgroup.events", path) >= sizeof(file))
		return false;
	return access(file, F_OK) != 0;
}

int cgroup2_find(const char *procfs, const char *wanted, struct cgroup2_mount *out)
{
	int err;

	*out = (struct cgroup2_mount){0};
	err = read_mountinfo(procfs, out);
	if (wanted)
		err = take_wanted(wanted, out);
	if (err)
		return err;
	if (!out->path[0])
		return -ENOENT;
	out->whole = cgroup2_is_whole(out->path);
	return 0;
}
