/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/causes.h"

#include <stdlib.h>

#include "bramble/growth.h"

struct known_pair {
	struct wait_pair pair;
	uint64_t wait_ns;
	UT_hash_handle hh;
};

bool causes_add(struct causes *causes, struct wait_pair pair, struct owner *victim,
		struct owner *cause, uint64_t wait_ns)
{
	struct known_pair *known;
	bool lower;

	HASH_FIND(hh, causes->pairs, &pair, sizeof(pair), known);
	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return true;
		known->pair = pair;
		if (!HASH_TRY_ADD(hh, causes->pairs, &known->pair, sizeof(known->pair), known)) {
			free(known);
			return true;
		}
	}
	if (wait_ns > known->wait_ns &&
	    !owner_add_caused(victim, cause, grown(wait_ns, known->wait_ns)))
		return true;
	lower = wait_ns < known->wait_ns;
	known->wait_ns = wait_ns;
	return !lower;
}

/* SLOT_IDLE is beyond all slots. */
static bool is_one_of(unsigned int slot, const bool *which, unsigned int count)
{
	return slot < count && which[slot];
}

/* The analyzer does not see that an element is off uthash's list before it is freed. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
void causes_forget(struct causes *causes, const bool *which, unsigned int count)
{
	struct known_pair *known, *next;

	HASH_ITER(hh, causes->pairs, known, next) {
		if (!is_one_of(known->pair.victim, which, count) &&
		    !is_one_of(known->pair.cause, which, count))
			continue;
		HASH_DEL(causes->pairs, known);
		free(known);
	}
}

void causes_free(struct causes *causes)
{
	struct known_pair *known, *next;

	HASH_ITER(hh, causes->pairs, known, next) {
		HASH_DEL(causes->pairs, known);
		free(known);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
