/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A timer that expires again and again, as a descriptor for an event loop. */
#ifndef BRAMBLE_TIMER_H
#define BRAMBLE_TIMER_H

#include <stdbool.h>

/*
 * Makes one that expires every so many seconds of CLOCK_MONOTONIC. The caller closes it. Returns a
 * descriptor, readable when the timer has expired, or a negative errno.
 */
int timer_open(int seconds);

/* Whether it has expired since this was last asked. Does not wait. */
bool timer_expired(int fd);

#endif
