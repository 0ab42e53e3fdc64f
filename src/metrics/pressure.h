/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Pressures of our own for kernels on which PSI is off: how long at least one task of an
 * owner waited for a CPU, memory or I/O, as the kernel's PSI defines "some"
 * (kernel/sched/psi.c): on each CPU alone, and of all CPUs the mean, weighted by how long
 * the owner needed each. Like the kernel, which does so every 2 s, it is to be summed up in
 * short intervals.
 */
#ifndef BRAMBLE_METRICS_PRESSURE_H
#define BRAMBLE_METRICS_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

#include "probe/probe.h"

#define PRESSURE_INTERVAL_S 2

/*
 * Adds the time from before to now to each resource's some_ns. Takes over now as before. Both
 * have an entry for each CPU. A time that is lower than before adds nothing. Returns how many
 * were.
 */
size_t pressure_add_growth(const struct probe_pressure *now, struct probe_pressure *before,
			   size_t cpus, uint64_t some_ns[PRESSURE_RESOURCES]);

#endif
