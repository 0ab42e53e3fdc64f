/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Gives memory back to the system. What is freed stays with the C library, which uses it again, and
 * a process that once was large would stay so. One thread uses a struct trim.
 */
#ifndef BRAMBLE_TRIM_H
#define BRAMBLE_TRIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trim {
	size_t freed;	  /* bytes, about, since the last time */
	uint64_t done_ns; /* CLOCK_MONOTONIC, when it was done last; 0: never */
};

/* Notes that about so many bytes were freed, in small pieces. */
static inline void trim_note(struct trim *trim, size_t bytes)
{
	trim->freed += bytes;
}

/*
 * Gives free memory back, if it is much and the last time was a while ago. That takes milliseconds.
 * now_ns: CLOCK_MONOTONIC. Returns whether it was done.
 */
bool trim_if_due(struct trim *trim, uint64_t now_ns);

#endif
