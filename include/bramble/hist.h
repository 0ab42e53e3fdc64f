/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Latency histograms in the buckets of Prometheus native histograms, schema 2.
 * Shared by the BPF programs and user space: no float, no loop, no division.
 *
 * Source of the bucket layout: the Prometheus native histogram specification,
 * schema 2: bucket k ends at 2^(k/4) seconds, and a value equal to a bound
 * belongs to the bucket that ends there.
 */
#ifndef BRAMBLE_HIST_H
#define BRAMBLE_HIST_H

#include <linux/types.h>

#define HIST_SCHEMA	2
#define HIST_MIN_K	(-80) /* the first bound: 2^-20 s, 0.95 us */
#define HIST_MAX_K	28    /* the last bound: 2^7 s, 128 s */

/* The number of bounds. There is one bucket for each, and one for what lies above the last. */
#define HIST_BOUNDS	(HIST_MAX_K - HIST_MIN_K + 1)
#define HIST_BUCKETS	(HIST_BOUNDS + 1)

#define HIST_MIN_NS	953ULL		/* 2^-20 s, rounded down */
#define HIST_MAX_NS	128000000000ULL /* 2^7 s */

/* 10^9 * 2^(k/4), k modulo 4 = 0..3, with the highest bit shifted to bit 63, rounded down. */
#define HIST_MANTISSA_0 0xee6b280000000000ULL
#define HIST_MANTISSA_1 0x8dc3b8960164a7d9ULL
#define HIST_MANTISSA_2 0xa8965f74bf065071ULL
#define HIST_MANTISSA_3 0xc87c3e7d03cdbec3ULL

/*
 * One histogram as the kernel side writes it. A bucket may wrap: user space adds up the
 * differences, and reads more often than 2^32 events can happen. The number of values is the sum
 * of the buckets.
 */
struct hist {
	__u64 sum_ns;
	__u32 bucket[HIST_BUCKETS];
};

/* The highest bit of a byte; 0 for 0. */
#define HIST_LOG2_2(n)	n, n
#define HIST_LOG2_4(n)	HIST_LOG2_2(n), HIST_LOG2_2(n)
#define HIST_LOG2_8(n)	HIST_LOG2_4(n), HIST_LOG2_4(n)
#define HIST_LOG2_16(n) HIST_LOG2_8(n), HIST_LOG2_8(n)
#define HIST_LOG2_32(n) HIST_LOG2_16(n), HIST_LOG2_16(n)
#define HIST_LOG2_64(n) HIST_LOG2_32(n), HIST_LOG2_32(n)
static const __u8 hist_log2[256] = {
	0,
	0,
	HIST_LOG2_2(1),
	HIST_LOG2_4(2),
	HIST_LOG2_8(3),
	HIST_LOG2_16(4),
	HIST_LOG2_32(5),
	HIST_LOG2_64(6),
	HIST_LOG2_64(7),
	HIST_LOG2_64(7),
};

/*
 * The bucket of a value: how many bounds are smaller than it.
 *
 * ns: nanoseconds, any value. Returns 0 (at most 2^-20 s) to HIST_BUCKETS - 1
 * (more than 2^7 s).
 *
 * Bounds are 10^9 * 2^(k/4) ns, so their mantissas are the same four numbers in every octave. The
 * value is shifted until its highest bit is bit 63, and compared with these four mantissas, rounded
 * down. Comparing an integer with a bound that is rounded down is exact.
 *
 * BPF has no instruction that counts leading zeros. Comparisons find the byte with the highest bit,
 * and a table finds the bit in it.
 */
static inline __attribute__((always_inline)) __u32 hist_bucket(__u64 ns)
{
	__u32 byte, exponent, above;

	if (ns <= HIST_MIN_NS)
		return 0;
	if (ns > HIST_MAX_NS)
		return HIST_BUCKETS - 1;

	if (ns < 1ULL << 16)
		byte = 8;
	else if (ns < 1ULL << 24)
		byte = 16;
	else if (ns < 1ULL << 32)
		byte = 24;
	else
		byte = 32;
	exponent = byte + hist_log2[(ns >> byte) & 0xff];
	ns <<= 63 - exponent;

	if (ns <= HIST_MANTISSA_1)
		above = 0;
	else if (ns <= HIST_MANTISSA_2)
		above = 1;
	else if (ns <= HIST_MANTISSA_3)
		above = 2;
	else if (ns <= HIST_MANTISSA_0)
		above = 3;
	else
		above = 4;
	/* 2^30 ns lies above bound k = 0 (1 s, 2^29.9 ns), and so above 1 - HIST_MIN_K bounds. */
	return 4 * exponent + (1 - HIST_MIN_K) - 4 * 30 + above;
}

#endif
