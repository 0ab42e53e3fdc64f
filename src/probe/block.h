/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The cells of the block probe. A slot has one for each device and operation. */
#ifndef BRAMBLE_PROBE_BLOCK_H
#define BRAMBLE_PROBE_BLOCK_H

#include "bramble/cells.h"

struct probe;

/* Calls each for every cell, all read in one go. Returns 0 or a negative errno. */
typedef void (*probe_block_fn)(void *context, const struct block_key *key,
			       const struct block_cell *cell);
int probe_read_blocks(struct probe *probe, probe_block_fn each, void *context);

#endif
