/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The difference between two readings of a number that should only grow: a counter, or a clock.
 * The later reading may still be lower:
 *  - two CPUs add to one number, and an addition is lost;
 *  - the clock of bpf_ktime_get_ns() steps back by some nanoseconds, or is behind on another CPU;
 *  - somebody else's counter starts anew.
 * An unsigned difference would then be near 2^64, which is 584 years in nanoseconds. Shared by the
 * BPF programs and user space.
 */
#ifndef BRAMBLE_GROWTH_H
#define BRAMBLE_GROWTH_H

#include <linux/types.h>

/* How far now is above before, or 0 if it is below. */
static inline __attribute__((always_inline)) __u64 grown(__u64 now, __u64 before)
{
	return now > before ? now - before : 0;
}

/*
 * The same for a number that wraps at 2^32 and grows by less than 2^31 between two readings. What
 * looks like more is a step back.
 */
static inline __attribute__((always_inline)) __u32 grown32(__u32 now, __u32 before)
{
	__u32 difference = now - before;

	return difference < 1U << 31 ? difference : 0;
}

/*
 * The value to export of a counter that others keep. before: the value that was last exported.
 *
 * A reader takes any step back for a counter that started anew, and counts the whole new value as
 * growth. So a step back of at most tolerance is hidden. A larger one is a new start.
 */
static inline __attribute__((always_inline)) __u64 not_lower(__u64 now, __u64 before,
							     __u64 tolerance)
{
	return now < before && before - now <= tolerance ? before : now;
}

#endif
