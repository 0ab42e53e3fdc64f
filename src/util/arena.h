/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory for many small things that live equally long. It is taken piece by piece and freed all at
 * once. Zeroed, aligned for any type.
 */
#ifndef BRAMBLE_ARENA_H
#define BRAMBLE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *last;
};

/* NULL: no memory. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of a string. NULL: no memory. */
char *arena_string(struct arena *arena, const char *text);

/* Frees everything. The arena is then empty and can be used again. */
void arena_free(struct arena *arena);

#endif
