/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The difference of two readings of what should only grow: a counter, or a clock. The later one
 * may be lower all the same. Additions of two CPUs to one number can be lost; the clock of
 * bpf_ktime_get_ns() may step back by some nanoseconds, and be behind on another CPU; what is
 * counted by others may be started anew. As an unsigned number the difference would then be near
 * 2^64, which are 584 years in nanoseconds. Shared by the BPF programs and user space.
 */
#ifndef BRAMBLE_GROWTH_H
#define BRAMBLE_GROWTH_H

#include <linux/types.h>

/* How far now is above before: 0 where it is below. */
static inline __attribute__((always_inline)) __u64 grown(__u64 now, __u64 before)
{
	return now > before ? now - before : 0;
}

/*
 * The same for a number that wraps at 2^32 and grows by less than 2^31 from one reading to the
 * next: what looks like more is a step back.
 */
static inline __attribute__((always_inline)) __u32 grown32(__u32 now, __u32 before)
{
	__u32 difference = now - before;

	return difference < 1U << 31 ? difference : 0;
}

/*
 * What to export of a counter that others keep, which was before when it was exported last. A
 * reader takes a step back for a new beginning, and adds all that is there as if it had come since.
 * So one of at most tolerance is hidden; a larger one is a new beginning.
 */
static inline __attribute__((always_inline)) __u64 not_lower(__u64 now, __u64 before,
							     __u64 tolerance)
{
	return now < before && before - now <= tolerance ? before : now;
}

#endif
