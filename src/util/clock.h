/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Clocks in nanoseconds. Any thread. */
#ifndef BRAMBLE_CLOCK_H
#define BRAMBLE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static inline uint64_t timespec_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return timespec_ns(&now);
}

/* The clock of bpf_ktime_get_ns(). */
static inline uint64_t clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Since the machine was started, suspended or not. Nobody sets it: see util/wall.h. */
static inline uint64_t clock_boottime_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

/* How far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: the time that the machine was suspended. */
static inline uint64_t clock_suspended_ns(void)
{
	uint64_t monotonic_ns = clock_monotonic_ns();

	return clock_boottime_ns() - monotonic_ns;
}

/* Of two times by one clock. */
static inline uint64_t earlier_ns(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

#endif
