/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The block probe's cells are by slot, device and operation. This keeps what each cell was when it
 * was read last, so that its growth can be added to its owner's ledger. One thread calls all of
 * this.
 */
#ifndef BRAMBLE_METRICS_BLOCK_H
#define BRAMBLE_METRICS_BLOCK_H

#include <stdbool.h>

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
 * Adds what a cell has grown by to its owner's ledger. Without memory nothing is added, and the
 * next call does it. Returns whether anything was added.
 */
bool block_books_add(struct block_books *books, struct owner *owner, const struct block_key *key,
		     const struct block_cell *cell);

/*
 * The cells of some slots are gone, and begin at zero if there are new ones. which: by slot, count
 * of them.
 */
void block_books_forget(struct block_books *books, const bool *which, unsigned int count);

#endif
