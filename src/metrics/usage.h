/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel itself counts for the cgroups of owners, read from their files and added to the
 * owners' ledgers. Two things are not known: what a cgroup used between the last reading and its
 * end, and what a cgroup that was found late used before. One thread calls all of this.
 */
#ifndef BRAMBLE_USAGE_H
#define BRAMBLE_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "cgroup/files.h"
#include "metrics/members.h"
#include "metrics/owners.h"

struct usage {
	struct cgroup_reader reader;
	struct cgroup **tops; /* whose files are read, each of a member; count of them */
	size_t count;
	size_t max;	       /* whose files are read; 0: no limit. Those of pods go first */
	uint64_t known;	       /* the cgroups that there were when tops were found, as a hash */
	uint64_t stepped_back; /* counters that were lower than at the reading before */
	uint64_t updated_ns;   /* CLOCK_MONOTONIC, of the last update; 0: there was none */
};

/* cgroupfs, the mount point of cgroup v2, must outlive it. */
void usage_open(struct usage *usage, const char *cgroupfs);

/* Gives a cgroup an owner, if there is memory for one. */
typedef void (*usage_name_fn)(void *context, struct member *member);

/*
 * Reads the files of all cgroups that are there. Calls name for those without an owner. now_ns:
 * CLOCK_MONOTONIC, not later than when it was last found out which cgroups there are.
 */
void usage_update(struct usage *usage, struct members *members, struct owners *owners,
		  uint64_t now_ns, usage_name_fn name, void *context);

/* Finds out which cgroups' files say what owners use: tops. usage_update() does it, too. Cheap. */
void usage_find_tops(struct usage *usage, const struct members *members, struct owners *owners);

/* Closes the files of a cgroup that is to be removed. */
void usage_forget(struct usage *usage, struct member *member);

void usage_close(struct usage *usage, struct members *members);

#endif
