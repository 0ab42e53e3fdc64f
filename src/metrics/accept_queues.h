/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whose accept queues turned connections away: a pod's, or the kernel's for the namespace of the
 * host. The kernel counts this by network namespace (net/overflows.h). All namespaces are read once
 * in a round, a few in each update. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_ACCEPT_QUEUES_H
#define BRAMBLE_METRICS_ACCEPT_QUEUES_H

#include <stdint.h>

#include "metrics/naming.h"

struct accept_queues {
	struct naming *naming;	     /* gives owners to pods */
	struct owner *kernel;	     /* whom the host's namespace counts for */
	struct overflows *overflows; /* NULL: not read */
	uint64_t start_ns;	     /* CLOCK_BOOTTIME, of the first reading */
	uint64_t round_ns;	     /* CLOCK_MONOTONIC, when the running round began */
	unsigned int round;
	uint64_t stepped_back; /* counts that were lower than at the reading before */
};

/*
 * Reads all namespaces once: what they counted before does not count here. Without memory they are
 * never read. The strings, the naming and the kernel's owner must outlive it.
 */
void accept_queues_open(struct accept_queues *queues, struct naming *naming, struct owner *kernel,
			const char *procfs, const char *cgroupfs);
void accept_queues_close(struct accept_queues *queues);

/* Reads some of the namespaces that this round has not read. now_ns: CLOCK_MONOTONIC. */
void accept_queues_update(struct accept_queues *queues, uint64_t now_ns);

#endif
