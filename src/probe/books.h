/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The probe's own books: events seen, samples lost, CPU time taken. */
#ifndef BRAMBLE_PROBE_BOOKS_H
#define BRAMBLE_PROBE_BOOKS_H

#include <stddef.h>
#include <stdint.h>

#include "probe/probes.h"

struct probe;

/* What was not counted, and why. */
struct probe_lost {
	enum probe_id probe;
	const char *reason;
	uint64_t count;
};

/* Fills in the rows of all probes that are enabled. Returns how many. */
#define PROBE_LOST_MAX 64
size_t probe_read_lost(const struct probe *probe, struct probe_lost lost[PROBE_LOST_MAX]);

/* Events that the probe has seen; the help of bramble_probe_events_total says of what kind. */
uint64_t probe_events(const struct probe *probe, enum probe_id id);

/*
 * CPU time the probe's programs took, in ns. -ENODATA unless the kernel counts
 * it (sysctl kernel.bpf_stats_enabled=1).
 */
int probe_cpu_ns(const struct probe *probe, enum probe_id id, uint64_t *ns);

#endif
