/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which part of the kernel's sums by pair of victim and cause is in their
 * owners' totals already. One thread calls all of this.
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
 * Adds what a pair's sum grew by since it was told last to what victim waited
 * because of cause. Without memory nothing is added, and the next call does it.
 * Returns false if the sum is lower than it was, which adds nothing.
 */
bool causes_add(struct causes *causes, struct wait_pair pair, struct owner *victim,
		struct owner *cause, uint64_t wait_ns);

/* Forgets the pairs of a slot, whose sums begin anew. */
void causes_forget(struct causes *causes, unsigned int slot);

void causes_free(struct causes *causes);

#endif
