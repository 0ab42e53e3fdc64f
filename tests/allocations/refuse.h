/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory that is refused on purpose: a file that the program under test and tests/allocations/run
 * both map. $REFUSE_FILE names it. Without it nothing is refused.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include <stdint.h>

#define REFUSE_FRAMES 16

enum refuse_scope {
	REFUSE_ANY,
	REFUSE_OWN,   /* calls of the program itself, also through the C library: strdup() */
	REFUSE_OTHER, /* calls of its libraries */
};

struct refuse {
	/* Set by the test. */
	uint64_t armed; /* 0: nothing is counted or refused */
	uint64_t scope;
	uint64_t first,
		end; /* the calls from first (1, 2, ...) up to, and without, end are refused */
	/* Set by the program. */
	uint64_t count;			/* of calls in the scope */
	uint64_t refused;		/* of them */
	uint64_t base;			/* where the program's code is, for addr2line */
	uint64_t frames[REFUSE_FRAMES]; /* who called when the first one was refused; ended by 0 */
};

#endif
