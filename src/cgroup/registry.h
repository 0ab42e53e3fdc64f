/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cgroups that are known, by id: those that a walk found, and those that the kernel told of
 * when they were made. One that was removed stays until registry_remove(). One thread calls all of
 * this.
 */
#ifndef BRAMBLE_REGISTRY_H
#define BRAMBLE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/claims.h"
#include "cgroup/path.h"
#include "util/hash.h"

/* May be the first member of a larger struct: see registry_open(). */
struct cgroup {
	uint64_t id;
	/*
	 * In the hierarchy, with a leading slash. If below is set it is not the cgroup's own path,
	 * which is too long to be kept or known, but that of a cgroup above it.
	 */
	char *path;
	bool below;
	bool outside;	/* walks cannot see it: the mount point does not show it */
	bool born_told; /* born_ns, by who added it; else a process in it, which may be younger */
	struct cgroup_name name;
	struct claim *claim; /* to its pod or container; NULL: it is neither */
	uint64_t born_ns;    /* CLOCK_BOOTTIME; 0 when that is not known */
	uint64_t seen_ns;    /* CLOCK_MONOTONIC, when it became known here */
	uint64_t removed_ns; /* CLOCK_MONOTONIC; 0 while it is there */
	unsigned int walk;   /* the last walk that saw it */
	bool held_others;    /* other containers or units were below it: cgroup_tops_find() */
	UT_hash_handle hh;
};

/* What the floor above does with the entries. */
struct registry_hooks {
	/* A cgroup has its path and its name. Returns 0, or a negative errno: it is not added. */
	int (*added)(void *context, struct cgroup *cgroup);
};

struct registry {
	struct cgroup *table;
	struct claims claims;
	size_t entry_size;
	const struct registry_hooks *hooks; /* NULL: none; set it before there are entries */
	void *context;			    /* of the hooks */
	unsigned int walk;		    /* number of walks made */
	uint64_t unread; /* directories that walks left out, except vanished ones */
};

/*
 * Makes an empty one, whose entries are entry_size bytes. The first member of an entry is its
 * struct cgroup; what follows is the caller's, and zero at first.
 */
void registry_open(struct registry *registry, size_t entry_size);

struct cgroup *registry_find(const struct registry *registry, uint64_t id);

/*
 * Adds a cgroup, or returns the one of this id. A path that cannot be read makes a unit "unknown".
 * born_ns: CLOCK_BOOTTIME, 0 if not known. NULL if memory ran out or a hook refused it.
 */
struct cgroup *registry_add(struct registry *registry, uint64_t id, const char *path,
			    uint64_t born_ns);

/*
 * The same for a cgroup whose own path is not known: it has the name of a cgroup above it. above is
 * that cgroup's path.
 */
struct cgroup *registry_add_below(struct registry *registry, uint64_t id, const char *above,
				  uint64_t born_ns);

/* Frees a cgroup. What else its entry points to is the caller's to free before. */
void registry_remove(struct registry *registry, struct cgroup *cgroup);

/*
 * Reads the hierarchy below a mount point: adds the cgroups that are there, and marks those that
 * are gone as removed at now_ns (CLOCK_MONOTONIC). Cgroups come and go meanwhile; events tell of
 * those that it misses. procfs says when a cgroup's oldest process was started. A cgroup may lie as
 * deep as it likes, and its path may be as long: then it has the name of a cgroup above it. Work
 * and memory are bounded (walk.c), and what a bound leaves out is counted as unread. Returns 0, or
 * a negative errno if the mount point itself cannot be read.
 */
int registry_walk(struct registry *registry, const char *mount, const char *procfs,
		  uint64_t now_ns);

/*
 * The same in steps. A step looks at so many cgroups at most, of some 10 us each, and returns
 * whether that were all. Then call registry_walk_end(), which marks what is gone and frees the
 * walk. What is made and removed meanwhile may be added by others. registry_walk_free() ends a walk
 * before its end; NULL is allowed. The strings must outlive the walk.
 */
struct walk;
int registry_walk_begin(struct registry *registry, const char *mount, const char *procfs,
			struct walk **out);
bool registry_walk_step(struct walk *walk, unsigned int count);
void registry_walk_end(struct walk *walk, uint64_t now_ns);
void registry_walk_free(struct walk *walk);

void registry_free(struct registry *registry);

#endif
