/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Classic histograms: the buckets of the BPF programs, merged into few cumulative ones. The bounds
 * are every second power of two, 2^-20 s to 2^6 s. These are every eighth bound of the programs, so
 * nothing is interpolated.
 */
#ifndef BRAMBLE_CLASSIC_H
#define BRAMBLE_CLASSIC_H

#include <stdint.h>

#include "metrics/ledger.h"

#define CLASSIC_STEP   8
#define CLASSIC_BOUNDS ((HIST_BOUNDS + CLASSIC_STEP - 1) / CLASSIC_STEP)

/* A bound in seconds, i below CLASSIC_BOUNDS; the bucket after them ends at infinity. */
double classic_bound(unsigned int i);

/* How many values do not exceed each bound. The last number counts all values. */
void classic_counts(const struct hist_total *hist, uint64_t counts[CLASSIC_BOUNDS + 1]);

#endif
