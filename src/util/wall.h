/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The wall clock (CLOCK_REALTIME) and how it was set.
 *
 * A board without a clock of its own boots in 1970, or at the time when it went down. Its clock is
 * set when the network is there. So times are kept as CLOCK_BOOTTIME, which nobody sets. They
 * become wall-clock times when they are shown, by the clock as it is set then. A time stamp that
 * others made (the birth of a file) must be compared with the clock as it was set when the stamp
 * was made.
 *
 * The two clocks run at the same rate. Their difference changes only when the wall clock is set
 * (kernel/time/timekeeping.c, tk_set_wall_to_mono). Times are in nanoseconds. One thread calls all
 * of this.
 */
#ifndef BRAMBLE_WALL_H
#define BRAMBLE_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many settings of the clock are remembered. */
#define WALL_SETTINGS 16

struct wall_setting {
	uint64_t from_ns; /* CLOCK_BOOTTIME: since when this applies, as far as that is known */
	uint64_t
		offset_ns; /* CLOCK_REALTIME less CLOCK_BOOTTIME; modulo 2^64, it may be negative */
};

/* All zeros mean a clock that was not looked at yet. */
struct wall {
	struct wall_setting settings[WALL_SETTINGS]; /* in the order of time */
	size_t count;
};

/* Looks at the clocks. Returns whether the wall clock was set by 1 ms or more since the last look.
 */
bool wall_look(struct wall *wall);

/* The same, with both clocks given: for tests. */
bool wall_look_at(struct wall *wall, uint64_t boot_ns, uint64_t real_ns);

/*
 * Converts a CLOCK_BOOTTIME time with the wall clock as it was set at the last look. The same time
 * always gives the same number until the clock is set. 0, an unknown time, stays 0.
 */
uint64_t wall_time(const struct wall *wall, uint64_t boot_ns);

/*
 * The same, with the wall clock as it was set at that time. How it was set before the first look is
 * not known. For such a time, this uses the setting of the first look.
 */
uint64_t wall_time_then(const struct wall *wall, uint64_t boot_ns);

/*
 * Whether the wall clock is known to have run from one CLOCK_BOOTTIME time to another without being
 * set. What is noticed within a second after the other may have been before it.
 */
bool wall_ran(const struct wall *wall, uint64_t from_ns, uint64_t to_ns);

/*
 * A descriptor that becomes readable when the clock is set, until wall_clear_fd(). Returns it, for
 * the caller to close, or a negative errno.
 */
int wall_open_fd(void);
void wall_clear_fd(int fd);

#endif
