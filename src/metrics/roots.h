/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tells the probe which cgroups are counting roots, so that what is nested in them shares their
 * slots (bramble/roots.h). Any process with a delegated cgroup can make nested ones, as many as it
 * likes, and must not take slots from others. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_ROOTS_H
#define BRAMBLE_METRICS_ROOTS_H

#include <stdint.h>

#include "metrics/members.h"
#include "probe/probe.h"

/* So many nested cgroups within a minute are told to the operator. */
#define ROOTS_NESTED_TOLD 128

/* How many pods and units are watched for that at a time. */
#define ROOTS_WATCHED	  16

struct roots {
	struct probe *probe;
	const char *cgroupfs;
	const struct members *members; /* as of the last roots_take_walked() */
	unsigned int walk;	       /* the last walk whose cgroups were looked at */
	struct nested {
		uint64_t key; /* struct cgroup_home */
		unsigned int made;
		uint64_t home_id; /* set when they are too many: the container or unit */
	} nested[ROOTS_WATCHED];
	unsigned int watched;
	bool missing;			      /* there was no room for one: struct cgroup_home */
	uint64_t since_ns, told_ns, tried_ns; /* CLOCK_MONOTONIC */
};

/* cgroupfs: where cgroup v2 is mounted; it must outlive the roots. Nothing is to be freed. */
void roots_open(struct roots *roots, struct probe *probe, const char *cgroupfs);

/* A cgroup was made. To be called as soon as that is known. */
void roots_take_made(struct roots *roots, struct member *made);

/* The same for a cgroup for which the members have no room. path: as an event has it. */
void roots_take_refused(struct roots *roots, uint64_t id, const char *path);

/* A cgroup was removed. It may be one of those for which the members have no room. */
void roots_take_removed(struct roots *roots, uint64_t id);

/* Looks at the cgroups that a walk has found, if there was one since the last call. */
void roots_take_walked(struct roots *roots, const struct members *members);

/* A slot beyond the quota is taken back: its cgroup counts in its home's slot from now on. */
void roots_fold(struct roots *roots, struct member *member);

/* Lets the programs act by what was added since the last call. To be called after each turn. */
void roots_flush(struct roots *roots);

/*
 * Tries again those for which there was no room in the programs' maps, every ROOTS_RETRY_NS: other
 * cgroups may have been removed. Cheap if there are none. now_ns: CLOCK_MONOTONIC.
 */
#define ROOTS_RETRY_NS UINT64_C(10000000000)
void roots_retry(struct roots *roots, uint64_t now_ns);

/* Tells the operator, at most once a minute, who makes a great many nested cgroups. */
void roots_tell(struct roots *roots, uint64_t now_ns);

#endif
