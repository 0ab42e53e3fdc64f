/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts of an owner made up for a test. */
#ifndef BRAMBLE_TEST_COUNTS_H
#define BRAMBLE_TEST_COUNTS_H

#include "metrics/owners.h"

static inline uint64_t *switches_of(struct owner *owner)
{
	return total_counters(owner_total(owner, PROBE_SCHED), &families[FAMILY_CPU_SWITCHES]);
}

static inline struct hist_total *wait_of(struct owner *owner)
{
	return total_hist(owner_total(owner, PROBE_SCHED), &families[FAMILY_CPU_WAIT], 0);
}

#endif
