/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/arena.h"

#include <stdlib.h>
#include <string.h>

/*
 * Each block is twice as large as the one before, within these bounds. Some arenas stay small. The
 * largest blocks are mappings of their own (malloc(3): M_MMAP_THRESHOLD): what is not used of them
 * takes no memory, and all of it goes back to the system when they are freed.
 */
#define BLOCK_MIN ((size_t)512)
#define BLOCK_MAX ((size_t)256 << 10)
#define ALIGNMENT sizeof(max_align_t)

struct arena_block {
	struct arena_block *before;
	size_t used, size;
	max_align_t data[];
};

void *arena_take(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->last;
	void *taken;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!block || block->size - block->used < size) {
		size_t room = block ? 2 * block->size : BLOCK_MIN;

		room = room > BLOCK_MAX ? BLOCK_MAX : room;
		room = room < size ? size : room;
		block = calloc(1, sizeof(*block) + room);
		if (!block)
			return NULL;
		block->size = room;
		block->before = arena->last;
		arena->last = block;
	}
	taken = (char *)block->data + block->used;
	block->used += size;
	return taken;
}

char *arena_string(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = arena_take(arena, size);

	return copy ? memcpy(copy, text, size) : NULL;
}

void arena_free(struct arena *arena)
{
	struct arena_block *block;

	while ((block = arena->last)) {
		arena->last = block->before;
		free(block);
	}
}
