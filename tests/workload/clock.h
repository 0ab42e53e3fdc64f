/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Clocks of workloads that know what they do with their time. */
#ifndef BRAMBLE_WORKLOAD_CLOCK_H
#define BRAMBLE_WORKLOAD_CLOCK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#endif
