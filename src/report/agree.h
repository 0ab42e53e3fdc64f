/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether the probe's numbers agree with other books: what it counts for the cgroup of this process
 * beside what the kernel, or the load itself, counts for the same load. One thread calls all of
 * this.
 */
#ifndef BRAMBLE_REPORT_AGREE_H
#define BRAMBLE_REPORT_AGREE_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/collector.h"

/* A number of events and the time that they took. */
struct tally {
	uint64_t count;
	uint64_t sum_ns;
};

/* The same load in two books. */
struct agreement {
	struct tally probe;
	struct tally other;
};

struct witness {
	struct collector *collector;
	uint64_t cgroup; /* of this process: its id */
	const char *procfs;
};

/*
 * Counts for the cgroup of this process. The caller closes the collector. Returns 0 or
 * a negative errno: -ENOENT if its cgroup cannot be seen from here.
 */
int witness_open(struct witness *witness, struct collector *collector, const char *procfs);

/*
 * Twice as many processes as CPUs compute for a second. other: the tasks' run_delay
 * (/proc/PID/schedstat), of all tasks in this cgroup; it has no count. Returns 0 or a negative
 * errno: -EOPNOTSUPP where the kernel keeps no run_delay.
 */
int agree_on_waits(const struct witness *witness, struct agreement *out);

/*
 * Writes and fsyncs a file without a name in a directory, a hundred times or for ten seconds.
 * other: the calls, and the time that they took as seen from user space. Returns 0 or a negative
 * errno.
 */
int agree_on_fsyncs(const struct witness *witness, const char *dir, struct agreement *out);

/*
 * A server on the loopback that sleeps for a millisecond before it answers each of 500 requests.
 * other: the requests, and the time that the client waited. Returns 0 or a negative errno.
 */
int agree_on_requests(const struct witness *witness, struct agreement *out);

#endif
