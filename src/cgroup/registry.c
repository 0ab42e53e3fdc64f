/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/procstat.h"

/* Cgroups that are deeper in the hierarchy than this are not read. */
#define DEPTH_MAX 32

struct walk {
	struct registry *registry;
	const char *procfs;
	char path[PATH_MAX];
	size_t len;
};

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

struct cgroup *registry_add(struct registry *registry, uint64_t id, const char *path,
			    uint64_t born_ns)
{
	struct cgroup *cgroup = registry_find(registry, id);

	if (cgroup)
		return cgroup;
	cgroup = calloc(1, registry->entry_size);
	if (!cgroup)
		return NULL;
	cgroup->path = strdup(path);
	if (!cgroup->path) {
		free(cgroup);
		return NULL;
	}
	cgroup->id = id;
	cgroup->born_ns = born_ns;
	cgroup->seen_ns = clock_monotonic_ns();
	cgroup->walk = registry->walk;
	if (cgroup_path_parse(path, &cgroup->name)) {
		cgroup->name.kind = CGROUP_UNIT;
		snprintf(cgroup->name.unit, sizeof(cgroup->name.unit), "unknown");
	}
	if (!HASH_TRY_ADD(hh, registry->table, &cgroup->id, sizeof(cgroup->id), cgroup)) {
		free(cgroup->path);
		free(cgroup);
		return NULL;
	}
	return cgroup;
}

void registry_remove(struct registry *registry, struct cgroup *cgroup)
{
	/* The analyzer does not see that an element is off uthash's list before it is freed. */
	HASH_DEL(registry->table, cgroup); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(cgroup->path);
	free(cgroup);
}

void registry_free(struct registry *registry)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, registry->table, cgroup, next)
		registry_remove(registry, cgroup);
}

/* Since when a process runs, CLOCK_BOOTTIME in ns; 0 if that cannot be read. */
static uint64_t process_start_ns(const struct walk *walk, unsigned long pid)
{
	char path[PATH_MAX];
	struct buf text;
	uint64_t ticks;

	snprintf(path, sizeof(path), "%s/%lu/stat", walk->procfs, pid);
	if (buf_read_file(&text, path, 4096))
		return 0;
	ticks = proc_stat_field(text.data, PROC_STAT_START_TICKS);
	buf_free(&text);
	return proc_ticks_ns(ticks);
}

/* A container's cgroup is made for its first process, so that process is as old as the cgroup. */
static uint64_t born_ns(const struct walk *walk, int dir_fd)
{
	int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	unsigned long pid = 0;
	char text[32];
	ssize_t len;

	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len > 0) {
		text[len] = '\0';
		pid = strtoul(text, NULL, 10);
	}
	return pid ? process_start_ns(walk, pid) : 0; /* 0: of another pid namespace */
}

/* Whether the error means that the cgroup is gone, and not that it cannot be looked at. */
static bool is_gone_error(int error)
{
	return error == ENOENT || error == ENODEV || error == ENOTDIR;
}

/* A walk may have been refused a directory above it, or it may lie too deep. */
static bool is_gone(const char *mount, const struct cgroup *cgroup)
{
	char path[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", mount, cgroup->path) >= sizeof(path))
		return false;
	return stat(path, &st) ? is_gone_error(errno) : st.st_ino != cgroup->id;
}

static void walk_children(struct walk *walk, DIR *dir, int depth);

static void walk_cgroup(struct walk *walk, int parent_fd, const char *name, uint64_t id, int depth)
{
	size_t len = walk->len;
	struct cgroup *cgroup;
	DIR *dir;
	int fd;

	if (len + strlen(name) + 2 > sizeof(walk->path)) {
		walk->registry->unread++;
		return;
	}
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		walk->registry->unread += !is_gone_error(errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	walk->len += (size_t)sprintf(walk->path + len, "/%s", name);
	cgroup = registry_find(walk->registry, id);
	if (!cgroup)
		cgroup = registry_add(walk->registry, id, walk->path, born_ns(walk, fd));
	if (cgroup) {
		cgroup->walk = walk->registry->walk;
		/*
		 * An earlier walk may have been refused a look at the cgroup. A cgroup that is
		 * known without a path stays marked as removed. Once it is forgotten, a walk finds
		 * it again, with its path.
		 */
		if (cgroup->path[0])
			cgroup->removed_ns = 0;
	}
	if (depth < DEPTH_MAX)
		walk_children(walk, dir, depth + 1);
	else
		walk->registry->unread++;
	walk->len = len;
	walk->path[len] = '\0';
	closedir(dir);
}

static void walk_children(struct walk *walk, DIR *dir, int depth)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			walk_cgroup(walk, dirfd(dir), entry->d_name, entry->d_ino, depth);
}

int registry_walk(struct registry *registry, const char *mount, const char *procfs, uint64_t now_ns)
{
	struct walk walk = {.registry = registry, .procfs = procfs};
	struct cgroup *cgroup, *next;
	struct stat root;
	DIR *dir;

	dir = opendir(mount);
	if (!dir)
		return -errno;
	registry->walk++;
	if (fstat(dirfd(dir), &root) == 0) {
		cgroup = registry_add(registry, root.st_ino, "/", 0);
		if (cgroup)
			cgroup->walk = registry->walk;
	}
	walk_children(&walk, dir, 1);
	closedir(dir);

	HASH_ITER(hh, registry->table, cgroup, next)
		if (cgroup->walk != registry->walk && !cgroup->removed_ns && is_gone(mount, cgroup))
			cgroup->removed_ns = now_ns;
	return 0;
}
