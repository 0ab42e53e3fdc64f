/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/block.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/unread.h"

struct known_block {
	struct block_key key;
	struct block_cell before; /* as it was read last */
	UT_hash_handle hh;
};

static const char *const op_names[BLOCK_OPS] = {
	[BLOCK_READ] = "read",
	[BLOCK_WRITE] = "write",
	[BLOCK_FLUSH] = "flush",
	[BLOCK_DISCARD] = "discard",
};

void block_books_open(struct block_books *books, const char *procfs, const char *sysfs)
{
	*books = (struct block_books){.devices = {.procfs = procfs, .sysfs = sysfs}};
}

void block_books_begin(struct block_books *books)
{
	devices_look_again(&books->devices);
}

static struct known_block *get_known(struct block_books *books, const struct block_key *key)
{
	struct known_block *known;

	HASH_FIND(hh, books->table, key, sizeof(*key), known);
	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->key = *key;
	if (!HASH_TRY_ADD(hh, books->table, &known->key, sizeof(known->key), known)) {
		free(known);
		return NULL;
	}
	return known;
}

bool block_books_add(struct block_books *books, struct owner *owner, const struct block_key *key,
		     const struct block_cell *cell)
{
	struct known_block *known = get_known(books, key);
	const char *device;
	int lower;

	if (!known || key->op >= BLOCK_OPS || !memcmp(&known->before, cell, sizeof(*cell)))
		return false;
	device = devices_name(&books->devices, key->dev);
	if (!device)
		return false;
	lower = owner_add(owner, SOURCE_OF_PROBE(PROBE_BLOCK),
			  LEDGER_LABELS(device, op_names[key->op]), cell, &known->before);
	if (lower < 0)
		return false;
	books->stepped_back += (unsigned int)lower;
	known->before = *cell;
	return true;
}

/* The analyzer does not see that an element is off uthash's list before it is freed. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
void block_books_forget(struct block_books *books, const bool *which, unsigned int count)
{
	struct known_block *known, *next;

	HASH_ITER(hh, books->table, known, next) {
		if (known->key.slot >= count || !which[known->key.slot])
			continue;
		HASH_DEL(books->table, known);
		free(known);
	}
}

void block_books_free(struct block_books *books)
{
	struct known_block *known, *next;

	HASH_ITER(hh, books->table, known, next) {
		HASH_DEL(books->table, known);
		free(known);
	}
	devices_free(&books->devices);
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
