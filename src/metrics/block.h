/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The books of the block probe: what its cells, which are by slot, device and
 * operation, have added to their owners' totals already. One thread calls all
 * of this.
 */
#ifndef BRAMBLE_METRICS_BLOCK_H
#define BRAMBLE_METRICS_BLOCK_H

#include "metrics/devices.h"
#include "metrics/owners.h"

struct known_block;

struct block_books {
	struct known_block *table;
	struct devices devices;
	uint64_t stepped_back; /* values that were lower than at the reading before */
};

/* Where they are mounted; the strings must outlive the books. */
void block_books_open(struct block_books *books, const char *procfs, const char *sysfs);
void block_books_free(struct block_books *books);

/* Before the cells are read once more: devices may have come and gone. */
void block_books_begin(struct block_books *books);

/*
 * Adds what a cell grew by to its owner's totals. Without memory nothing is
 * lost: the next time counts it.
 */
void block_books_add(struct block_books *books, struct owner *owner, const struct block_key *key,
		     const struct block_cell *cell);

/* The cells of a slot are gone, and begin at zero if there are new ones. */
void block_books_forget(struct block_books *books, unsigned int slot);

#endif
