/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Native histograms. The BPF programs count in the same buckets (schema HIST_SCHEMA), so the
 * buckets are passed on unchanged, without the empty ones.
 *
 * Values up to the first bound are in the zero bucket. Values above the last bound are in the
 * bucket that begins there. In the BPF programs that bucket has no end.
 *
 * Source: the Prometheus native histogram specification, "Buckets" and "Spans".
 */
#ifndef BRAMBLE_NATIVE_H
#define BRAMBLE_NATIVE_H

#include <stdint.h>

#include "metrics/ledger.h"

/* Buckets beside the zero bucket. */
#define NATIVE_BUCKETS (HIST_BUCKETS - 1)

/* Up to this many empty buckets are written as zeros. Ending the span would cost more. */
#define NATIVE_GAP_MAX 2

/* A run of buckets. */
struct native_span {
	int32_t offset; /* from the end of the previous span; for the first span, its index */
	uint32_t length;
};

struct native_hist {
	uint64_t count; /* of all values */
	uint64_t zero_count;
	size_t span_count;
	size_t delta_count;
	struct native_span span[(NATIVE_BUCKETS + NATIVE_GAP_MAX) / (NATIVE_GAP_MAX + 1)];
	int64_t delta[NATIVE_BUCKETS]; /* from each count to the next, over all spans */
};

/* The upper bound of the zero bucket, in seconds. */
double native_zero_threshold(void);

void native_convert(const struct hist_total *hist, struct native_hist *native);

#endif
