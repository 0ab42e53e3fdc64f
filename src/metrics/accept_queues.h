/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Connections that a full accept queue turned away. The kernel counts them by network namespace
 * (net/overflows.h). Here they are added to an owner: the pod that has the namespace, or "kernel"
 * for the host's. A round reads every namespace once, a few in each update. One thread calls all of
 * this.
 */
#ifndef BRAMBLE_METRICS_ACCEPT_QUEUES_H
#define BRAMBLE_METRICS_ACCEPT_QUEUES_H

#include <stdint.h>

#include "metrics/naming.h"

struct accept_queues {
	struct naming *naming;	     /* finds the owner of a pod */
	struct owner *kernel;	     /* for the namespace of the host */
	struct overflows *overflows; /* NULL: not read */
	uint64_t start_ns;	     /* CLOCK_BOOTTIME, of the first reading */
	uint64_t round_ns;	     /* CLOCK_MONOTONIC, when the running round began */
	unsigned int round;
	uint64_t next_id;      /* the cgroup that is looked at next; 0: the first one */
	uint64_t stepped_back; /* counts that were lower than at the reading before */
	uint64_t lost;	       /* overflows for which there was no memory */
};

/*
 * Reads all namespaces once, so that what they counted before is not added to anyone. Without
 * memory they are never read. The strings, the naming and the owner must outlive it.
 */
void accept_queues_open(struct accept_queues *queues, struct naming *naming, struct owner *kernel,
			const char *procfs, const char *cgroupfs);
void accept_queues_close(struct accept_queues *queues);

/* Reads some of the namespaces that this round has not read. now_ns: CLOCK_MONOTONIC. */
void accept_queues_update(struct accept_queues *queues, uint64_t now_ns);

#endif
