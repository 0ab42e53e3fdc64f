/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the sched probe has besides its cells: who caused the waits, and what is under way. */
#ifndef BRAMBLE_PROBE_SCHED_H
#define BRAMBLE_PROBE_SCHED_H

#include <stdint.h>

#include "bramble/cells.h"

struct probe;

/*
 * Calls each for every pair of victim and cause, with the nanoseconds waited
 * since the pair was first seen. Returns 0 or a negative errno.
 */
typedef void (*probe_pair_fn)(void *context, struct wait_pair pair, uint64_t wait_ns);
int probe_read_pairs(struct probe *probe, probe_pair_fn each, void *context);

/* What the programs keep of each CPU and of the tasks, mapped. NULL: the probe is off. */
const struct sched_cpu *probe_sched_cpus(const struct probe *probe);
const struct task_set *probe_task_sets(const struct probe *probe);

#endif
