/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Native histograms: the kernel's buckets are theirs (schema HIST_SCHEMA), so they are handed
 * on as they are, without those that are empty.
 *
 * Values up to the first bound are the zero bucket. Those above the last bound are in the
 * bucket that begins there, which has no end of its own in the kernel.
 *
 * Source: the Prometheus native histogram specification, "Buckets" and "Spans".
 */
#ifndef BRAMBLE_NATIVE_H
#define BRAMBLE_NATIVE_H

#include <stdint.h>

#include "metrics/ledger.h"

/* Buckets beside the zero bucket. */
#define NATIVE_BUCKETS (HIST_BUCKETS - 1)

/* So many empty buckets are written as zeros rather than ending the span: a span costs more. */
#define NATIVE_GAP_MAX 2

/* A run of buckets. */
struct native_span {
	int32_t offset; /* of its first from the end of the span before; the first's own index */
	uint32_t length;
};

struct native_hist {
	uint64_t count; /* of all values */
	uint64_t zero_count;
	size_t span_count;
	size_t delta_count;
	struct native_span span[(NATIVE_BUCKETS + NATIVE_GAP_MAX) / (NATIVE_GAP_MAX + 1)];
	int64_t delta[NATIVE_BUCKETS]; /* of each count to the one before, over all spans */
};

/* The upper bound of the zero bucket, in seconds. */
double native_zero_threshold(void);

void native_convert(const struct hist_total *hist, struct native_hist *native);

#endif
