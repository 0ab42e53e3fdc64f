/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cgroups that are known, by id: those there are, found by a walk, and
 * those the kernel told of as they were made. One that was removed stays until
 * registry_remove(). One thread calls all of this.
 */
#ifndef BRAMBLE_REGISTRY_H
#define BRAMBLE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#include "cgroup/path.h"

struct owner;
struct cgroup_usage;

struct cgroup {
	uint64_t id;
	char *path; /* in the hierarchy, with a leading slash */
	struct cgroup_name name;
	uint64_t born_ns;    /* CLOCK_BOOTTIME; 0 when that is not known */
	uint64_t seen_ns;    /* CLOCK_MONOTONIC, when it became known here */
	uint64_t removed_ns; /* CLOCK_MONOTONIC; 0 while it is there */
	unsigned int walk;   /* the last walk that saw it */

	bool held_others; /* other containers or units were below it: cgroup_tops_find() */

	/* Kept by the collector. */
	struct owner *owner;			/* NULL until something was counted for it */
	int named;				/* whether owner has its final labels */
	struct cgroup_usage *usage;		/* its files; NULL: they are not read */
	unsigned int round;			/* the last of reading accept queues that saw it */
	unsigned char pod_told, container_told; /* enum told: info.h */

	UT_hash_handle hh;
};

struct registry {
	struct cgroup *table;
	unsigned int walk; /* number of walks made */
	uint64_t unread;   /* directories that they could not look into, but for those that went */
};

struct cgroup *registry_find(const struct registry *registry, uint64_t id);

/*
 * Adds a cgroup, or returns the one of this id. A path that cannot be read
 * makes a unit "unknown". NULL if memory ran out.
 */
struct cgroup *registry_add(struct registry *registry, uint64_t id, const char *path,
			    uint64_t born_ns);

void registry_remove(struct registry *registry, struct cgroup *cgroup);

/*
 * Reads the hierarchy below a mount point: adds what is there, and marks what
 * is there no more as removed at now_ns. Cgroups come and go meanwhile; what
 * is missed is known by its events. procfs tells since when a cgroup's oldest
 * process runs. Returns 0 or a negative errno (of the mount point itself).
 */
int registry_walk(struct registry *registry, const char *mount, const char *procfs,
		  uint64_t now_ns);

void registry_free(struct registry *registry);

#endif
