/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/classic.h"

double classic_bound(unsigned int i)
{
	/* 2^(k/4), k a multiple of 4: exact */
	return __builtin_ldexp(1.0, (HIST_MIN_K + (int)i * CLASSIC_STEP) / 4);
}

void classic_counts(const struct hist_total *hist, uint64_t counts[CLASSIC_BOUNDS + 1])
{
	uint64_t below = 0;
	unsigned int bound, bucket = 0;

	for (bound = 0; bound < CLASSIC_BOUNDS; bound++) {
		while (bucket <= bound * CLASSIC_STEP)
			below += hist->bucket[bucket++];
		counts[bound] = below;
	}
	while (bucket < HIST_BUCKETS)
		below += hist->bucket[bucket++];
	counts[CLASSIC_BOUNDS] = below;
}
