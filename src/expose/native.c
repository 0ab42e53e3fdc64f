/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/native.h"

#include <stdbool.h>

double native_zero_threshold(void)
{
	return __builtin_ldexp(1.0, HIST_MIN_K / (1 << HIST_SCHEMA));
}

/* How many empty buckets come before the next one that counted. -1 if none follows. */
static int gap_before_next(const struct hist_total *hist, unsigned int bucket)
{
	unsigned int i;

	for (i = bucket; i < HIST_BUCKETS; i++)
		if (hist->bucket[i])
			return (int)(i - bucket);
	return -1;
}

void native_convert(const struct hist_total *hist, struct native_hist *native)
{
	struct native_span *span = NULL;
	unsigned int bucket = 1, end = 0; /* end: the bucket after the last span */
	uint64_t before = 0;
	int gap;

	native->zero_count = hist->bucket[0];
	native->count = hist->bucket[0];
	native->span_count = 0;
	native->delta_count = 0;
	while ((gap = gap_before_next(hist, bucket)) >= 0) {
		if (!span || gap > NATIVE_GAP_MAX) {
			bucket += (unsigned int)gap;
			span = &native->span[native->span_count++];
			/* Bucket i of the kernel ends at 2^((HIST_MIN_K + i)/4) s: that is its
			 * index. */
			span->offset = end ? (int32_t)(bucket - end) : HIST_MIN_K + (int32_t)bucket;
			span->length = 0;
			gap = 0;
		}
		for (; gap >= 0; gap--, bucket++) {
			native->delta[native->delta_count++] =
				(int64_t)(hist->bucket[bucket] - before);
			before = hist->bucket[bucket];
			native->count += before;
			span->length++;
		}
		end = bucket;
	}
}
