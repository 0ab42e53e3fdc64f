/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Our own pressures, for kernels without PSI: how long at least one task of an owner waited for a
 * CPU, memory or I/O. It is what PSI calls "some" (kernel/sched/psi.c): the time on each CPU, and
 * then the mean of all CPUs, weighted by how long the owner needed each. The kernel takes the mean
 * every 2 s, and so must the caller.
 */
#ifndef BRAMBLE_METRICS_PRESSURE_H
#define BRAMBLE_METRICS_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

#include "probe/probe.h"

#define PRESSURE_INTERVAL_S 2

/*
 * Adds the time from before to now to each resource's some_ns, and copies now to before. Both have
 * an entry for each CPU. A time that is lower than before adds nothing. Returns how many were
 * lower.
 */
size_t pressure_add_growth(const struct probe_pressure *now, struct probe_pressure *before,
			   size_t cpus, uint64_t some_ns[PRESSURE_RESOURCES]);

#endif
