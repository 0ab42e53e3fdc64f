/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel sums waits by pair of victim and cause. This keeps what each sum was when it was read
 * last, so that its growth can be added to the victim's ledger. One thread calls all of this.
 */
#ifndef BRAMBLE_CAUSES_H
#define BRAMBLE_CAUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "bramble/cells.h"
#include "metrics/owners.h"

struct causes {
	struct known_pair *pairs;
};

/*
 * Adds what a pair's sum has grown by since the last call to what victim waited because of cause.
 * Without memory nothing is added, and the next call does it. Returns false if the sum is lower
 * than it was, which adds nothing.
 */
bool causes_add(struct causes *causes, struct wait_pair pair, struct owner *victim,
		struct owner *cause, uint64_t wait_ns);

/* Forgets the pairs of some slots, whose sums begin anew. which: by slot, count of them. */
void causes_forget(struct causes *causes, const bool *which, unsigned int count);

void causes_free(struct causes *causes);

#endif
