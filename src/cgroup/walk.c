/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the hierarchy: registry_walk(). Whoever may make cgroups chooses how deep they lie, how
 * long their names are and how many there are. So nothing here recurses. Descriptors are kept for
 * the uppermost levels only: the way back up from a deeper level is "..". The names that are still
 * to be looked at have a bound, and so has the number of cgroups in one container.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bramble/cells.h"
#include "cgroup/registry.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/procstat.h"

/* Levels whose descriptors stay open while those below them are read. */
#define LEVELS_OPEN 32

/* The names that are still to be looked at: 100,000 of containers'. */
#define PENDING_MAX (8U << 20)

/* The most cgroups that one walk looks at, and the most of these that go by one name. */
#define VISITS_MAX  (1U << 18)
#define NESTED_MAX  (1U << 14)

/* What kubelets make. It comes first, and so has the first claim to its pods (claims.h). */
static const char *const first[] = {"kubepods", "kubepods.slice", "kubelet", "kubelet.slice"};

/* A directory on the way from the root to where the walk is. */
struct level {
	int fd; /* negative: closed, see LEVELS_OPEN */
	uint64_t id;
	const struct cgroup *cgroup; /* NULL: the registry had no place for it */
	size_t path_len;
	size_t pending_from; /* its children that are still to be looked at are from here on */
	size_t name_from;    /* the uppermost level with the same name */
	unsigned int nested; /* at that level: how many cgroups below it have its name */
	bool too_long;	     /* path_len is that of a level above it */
};

struct walk {
	struct registry *registry;
	const char *mount, *procfs;
	struct level *levels;
	size_t depth, size; /* of levels */
	struct buf pending; /* names, each followed by a NUL and a byte with its length */
	unsigned int visits;
	uint64_t left_out;
	char path[CGROUP_PATH_MAX]; /* longer ones are cut in the kernel's events, too */
	alignas(struct dirent64) char entries[32 * 1024];
};

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

static void push_name(struct walk *walk, const char *name)
{
	size_t len = strlen(name);
	char *end;

	if (len > NAME_MAX || walk->pending.len + len + 2 > PENDING_MAX) {
		walk->left_out++;
		return;
	}
	end = buf_extend(&walk->pending, len + 2);
	if (!end) {
		walk->left_out++;
		return;
	}
	memcpy(end, name, len + 1);
	end[len + 1] = (char)(unsigned char)len;
}

/* Takes the last name. It fits: no name of a file is longer. */
static void pop_name(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *end = walk->pending.data + walk->pending.len - 1;
	size_t len = (unsigned char)*end;

	memcpy(name, end - 1 - len, len + 1);
	buf_truncate(&walk->pending, walk->pending.len - len - 2);
}

static bool is_child(const struct dirent64 *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

static void push_children(struct walk *walk, int fd)
{
	const struct dirent64 *entry;
	ssize_t len, at;

	while ((len = getdents64(fd, walk->entries, sizeof(walk->entries))) > 0) {
		for (at = 0; at < len; at += entry->d_reclen) {
			entry = (const void *)(walk->entries + at);
			if (is_child(entry))
				push_name(walk, entry->d_name);
		}
	}
	walk->left_out += len < 0 && !is_gone_error(errno);
}

static bool same_name(const struct cgroup *a, const struct cgroup *b)
{
	return a && b && a->name.kind == b->name.kind &&
	       strcmp(a->name.container_id, b->name.container_id) == 0 &&
	       strcmp(a->name.pod_uid, b->name.pod_uid) == 0 &&
	       strcmp(a->name.unit, b->name.unit) == 0;
}

static bool was_seen(const struct walk *walk, uint64_t id)
{
	const struct cgroup *cgroup = registry_find(walk->registry, id);

	return cgroup && cgroup->walk == walk->registry->walk;
}

/* Notes that the walk has seen a cgroup, and adds it if it is new. */
static const struct cgroup *see(struct walk *walk, const struct level *level)
{
	struct registry *registry = walk->registry;
	struct cgroup *cgroup = registry_find(registry, level->id);

	if (!cgroup) {
		cgroup = level->too_long ? registry_add_below(registry, level->id, walk->path, 0)
					 : registry_add(registry, level->id, walk->path, 0);
		if (cgroup)
			cgroup->born_ns = born_ns(walk, level->fd);
	}
	if (!cgroup)
		return NULL;
	cgroup->walk = registry->walk;
	/*
	 * An earlier walk may have been refused a look at the cgroup. A cgroup that is known
	 * without a path stays marked as removed. Once it is forgotten, a walk finds it again, with
	 * its path.
	 */
	if (cgroup->path[0])
		cgroup->removed_ns = 0;
	return cgroup;
}

static bool make_room(struct walk *walk)
{
	size_t size = walk->size ? 2 * walk->size : 64;
	struct level *levels;

	if (walk->depth < walk->size)
		return true;
	levels = reallocarray(walk->levels, size, sizeof(*levels));
	if (!levels)
		return false;
	walk->levels = levels;
	walk->size = size;
	return true;
}

/* Opens a directory in the innermost level. Returns false if nothing of it can be read. */
static bool open_level(struct walk *walk, const char *name, struct level *level)
{
	struct stat st;

	level->fd = openat(walk->levels[walk->depth - 1].fd, name,
			   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (level->fd < 0 || fstat(level->fd, &st)) {
		walk->left_out += !is_gone_error(errno);
		if (level->fd >= 0)
			close(level->fd);
		return false;
	}
	level->id = st.st_ino;
	return true;
}

/* Extends the path by a name. If that makes it too long, it stays that of the level above. */
static void extend_path(struct walk *walk, const char *name, struct level *level)
{
	const struct level *above = &walk->levels[walk->depth - 1];
	size_t len = above->path_len, more = strlen(name) + 1;

	level->too_long = above->too_long || len + more >= sizeof(walk->path);
	level->path_len = level->too_long ? len : len + more;
	walk->path[len] = '\0';
	if (!level->too_long)
		sprintf(walk->path + len, "/%s", name);
}

/* Looks at a directory in the innermost level. If others are in it, it is the innermost now. */
static void enter(struct walk *walk, const char *name)
{
	size_t above = walk->depth - 1;
	struct level level = {.pending_from = walk->pending.len};

	if (walk->visits == VISITS_MAX ||
	    walk->levels[walk->levels[above].name_from].nested == NESTED_MAX || !make_room(walk)) {
		walk->left_out++;
		return;
	}
	if (!open_level(walk, name, &level))
		return;
	if (was_seen(walk, level.id)) {
		close(level.fd);
		return;
	}
	walk->visits++;
	extend_path(walk, name, &level);
	level.cgroup = see(walk, &level);
	level.name_from = walk->depth;
	if (!level.cgroup || same_name(level.cgroup, walk->levels[above].cgroup)) {
		level.name_from = walk->levels[above].name_from;
		walk->levels[level.name_from].nested++;
	}
	push_children(walk, level.fd);
	if (walk->pending.len == level.pending_from) {
		close(level.fd);
		return;
	}
	if (above >= LEVELS_OPEN) {
		close(walk->levels[above].fd);
		walk->levels[above].fd = -1;
	}
	walk->levels[walk->depth++] = level;
}

static int open_above(const struct level *level, uint64_t id)
{
	int fd = openat(level->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || st.st_ino != id)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Goes back up. If that cannot be done, what is still to be looked at there is left out. */
static void leave(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->depth];
	struct level *above = walk->depth ? level - 1 : NULL;
	char name[NAME_MAX + 1];

	if (above && above->fd < 0) {
		above->fd = level->fd < 0 ? -1 : open_above(level, above->id);
		while (above->fd < 0 && walk->pending.len > above->pending_from) {
			pop_name(walk, name);
			walk->left_out++;
		}
	}
	if (level->fd >= 0)
		close(level->fd);
}

/* Notes those once more: the last name is looked at first. */
static void push_first(struct walk *walk)
{
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		if (fstatat(walk->levels[0].fd, first[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			push_name(walk, first[i]);
}

/* Since the last step, entries of the registry may have been removed. */
static void find_again(struct walk *walk)
{
	size_t i;

	for (i = 0; i < walk->depth; i++)
		walk->levels[i].cgroup = registry_find(walk->registry, walk->levels[i].id);
}

bool registry_walk_step(struct walk *walk, unsigned int count)
{
	char name[NAME_MAX + 1];

	find_again(walk);
	while (walk->depth && count--) {
		if (walk->pending.len == walk->levels[walk->depth - 1].pending_from) {
			leave(walk);
			continue;
		}
		pop_name(walk, name);
		enter(walk, name);
	}
	return !walk->depth;
}

/* Whether a cgroup that the walk did not see is gone, and not only left out. */
static bool is_gone(const struct walk *walk, const struct cgroup *cgroup)
{
	char path[PATH_MAX];
	struct stat st;

	if (cgroup->below)
		return !walk->left_out;
	if ((size_t)snprintf(path, sizeof(path), "%s%s", walk->mount, cgroup->path) >= sizeof(path))
		return false;
	return stat(path, &st) ? is_gone_error(errno) : st.st_ino != cgroup->id;
}

static void mark_gone(const struct walk *walk, uint64_t now_ns)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, walk->registry->table, cgroup, next)
		if (cgroup->walk != walk->registry->walk && !cgroup->removed_ns &&
		    !cgroup->outside && is_gone(walk, cgroup))
			cgroup->removed_ns = now_ns;
}

/* Opens the root. Its path is empty, so that a slash and a name can follow. */
static int open_root(struct walk *walk)
{
	struct level root = {0};
	struct cgroup *cgroup;
	struct stat st;

	if (!make_room(walk))
		return -ENOMEM;
	root.fd = open(walk->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root.fd < 0)
		return -errno;
	walk->registry->walk++;
	if (fstat(root.fd, &st) == 0) {
		root.id = st.st_ino;
		cgroup = registry_add(walk->registry, root.id, "/", 0);
		if (cgroup)
			cgroup->walk = walk->registry->walk;
		root.cgroup = cgroup;
	}
	walk->levels[walk->depth++] = root;
	push_children(walk, root.fd);
	push_first(walk);
	return 0;
}

int registry_walk_begin(struct registry *registry, const char *mount, const char *procfs,
			struct walk **out)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int err;

	*out = NULL;
	if (!walk)
		return -ENOMEM;
	walk->registry = registry;
	walk->mount = mount;
	walk->procfs = procfs;
	err = open_root(walk);
	if (err) {
		registry_walk_free(walk);
		return err;
	}
	*out = walk;
	return 0;
}

void registry_walk_end(struct walk *walk, uint64_t now_ns)
{
	mark_gone(walk, now_ns);
	walk->registry->unread += walk->left_out;
	registry_walk_free(walk);
}

void registry_walk_free(struct walk *walk)
{
	if (!walk)
		return;
	while (walk->depth)
		if (walk->levels[--walk->depth].fd >= 0)
			close(walk->levels[walk->depth].fd);
	buf_free(&walk->pending);
	free(walk->levels);
	free(walk);
}

int registry_walk(struct registry *registry, const char *mount, const char *procfs, uint64_t now_ns)
{
	struct walk *walk;
	int err = registry_walk_begin(registry, mount, procfs, &walk);

	if (err)
		return err;
	registry_walk_step(walk, UINT_MAX);
	registry_walk_end(walk, now_ns);
	return 0;
}
