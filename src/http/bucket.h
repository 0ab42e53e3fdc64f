/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A token bucket: one more token after each interval, and as many as burst at once. */
#ifndef BRAMBLE_BUCKET_H
#define BRAMBLE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first: it is full then. */
struct bucket {
	double tokens;
	uint64_t filled_ns; /* CLOCK_MONOTONIC, when it was last asked; 0: never */
};

/* Takes a token. Returns whether there was one. interval_ns is not 0; burst is at least 1. */
static inline bool bucket_take(struct bucket *bucket, uint64_t interval_ns, double burst,
			       uint64_t now_ns)
{
	if (bucket->filled_ns)
		bucket->tokens += (double)(now_ns - bucket->filled_ns) / (double)interval_ns;
	else
		bucket->tokens = burst;
	bucket->filled_ns = now_ns;
	if (bucket->tokens > burst)
		bucket->tokens = burst;
	if (bucket->tokens < 1)
		return false;
	bucket->tokens--;
	return true;
}

#endif
