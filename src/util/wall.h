/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The wall clock (CLOCK_REALTIME) and how it was set.
 *
 * A board without a clock of its own boots in 1970, or where it was when it went down, and is set
 * right when the network is there. So times are kept by CLOCK_BOOTTIME, which nobody sets, and
 * become wall-clock times when they are shown: by the clock as it is set by then. What others
 * stamped (the birth of a file) is to be compared with the clock as it was set at that time.
 *
 * The two clocks run at one rate: their distance changes when the wall clock is set, and else not
 * (kernel/time/timekeeping.c, tk_set_wall_to_mono). Times are nanoseconds. One thread calls all
 * of this.
 */
#ifndef BRAMBLE_WALL_H
#define BRAMBLE_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often the clock may be set before the first of it is forgotten. */
#define WALL_SETTINGS 16

struct wall_setting {
	uint64_t from_ns; /* CLOCK_BOOTTIME: since when it holds, as far as it is known */
	uint64_t
		offset_ns; /* CLOCK_REALTIME less CLOCK_BOOTTIME; modulo 2^64, it may be negative */
};

/* Zeros are a clock that was not looked at. */
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
 * A time of CLOCK_BOOTTIME by the wall clock as it was set when it was looked at last. The same
 * time always gives the same number until the clock is set. 0, a time that is not known, stays 0.
 */
uint64_t wall_time(const struct wall *wall, uint64_t boot_ns);

/*
 * The same by the wall clock as it was set at that time. How it was set before the first look is
 * not known: then it is taken to be as it was at that look.
 */
uint64_t wall_time_then(const struct wall *wall, uint64_t boot_ns);

/*
 * A descriptor that is readable once the clock was set, until wall_clear_fd(). Returns it, for the
 * caller to close, or a negative errno.
 */
int wall_open_fd(void);
void wall_clear_fd(int fd);

#endif
