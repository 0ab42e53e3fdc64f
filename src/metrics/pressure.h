/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A pressure of our own for kernels on which PSI is off: how long at least one task of an
 * owner waited for a CPU, as the kernel's PSI defines "some" (kernel/sched/psi.c): on
 * each CPU alone, and of all CPUs the mean, weighted by how long the owner needed each.
 * Like the kernel, which does so every 2 s, it is to be summed up in short intervals.
 */
#ifndef BRAMBLE_METRICS_PRESSURE_H
#define BRAMBLE_METRICS_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

#include "probe/probe.h"

#define PRESSURE_INTERVAL_S 2

/* The time from before to now, in ns. Takes over now as before. Both have an entry for each CPU. */
uint64_t pressure_growth(const struct probe_pressure *now, struct probe_pressure *before,
			 size_t cpus);

#endif
