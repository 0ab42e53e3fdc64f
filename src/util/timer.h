/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A timer that expires again and again, as a descriptor for an event loop. */
#ifndef BRAMBLE_TIMER_H
#define BRAMBLE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes one that expires every so many seconds of CLOCK_MONOTONIC. The caller closes it. Returns a
 * descriptor, readable when the timer has expired, or a negative errno.
 */
int timer_open(int seconds);

/* The same for one that expires when timer_set() says, and never before that. */
int timer_open_once(void);

/* Lets it expire once, at a time of CLOCK_MONOTONIC in ns; UINT64_MAX: never. Replaces what was set
 * before. */
void timer_set(int fd, uint64_t at_ns);

/* Whether it has expired since this was last asked. Does not wait. */
bool timer_expired(int fd);

#endif
