/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The arrays of cells. They are mapped, so reading them needs no system call. Mapped memory counts
 * as resident. So only the cells of slots that were ever in use are mapped. The kernel gives the
 * lowest free slots first.
 */
#ifndef BRAMBLE_PROBE_CELLS_H
#define BRAMBLE_PROBE_CELLS_H

#include "probe/descriptor.h"

/*
 * Copies a probe's cell of a slot, summed over all CPUs. Returns its size in bytes, or 0 if the
 * probe is not enabled or has no cells. Buckets wrap at 2^32, in the sum, too. So only differences
 * between two readings have a meaning.
 */
size_t probe_read_cell(struct probe *probe, enum probe_id id, unsigned int slot,
		       union probe_cell *cell);

/* Reads the pressure of a slot, an entry for each CPU. False if there is no memory for it. */
bool probe_read_pressure(struct probe *probe, unsigned int slot, struct probe_pressure *pressure);

/*
 * For slots.c. Sets all cells of a slot to zero, except for keyed ones. No program may write to
 * them meanwhile. Ask first whether there is memory for that.
 */
bool probe_can_clear_cells(struct probe *probe, unsigned int slot);
void probe_clear_cells(struct probe *probe, unsigned int slot);

/*
 * For probe.c. Sizes the arrays before the object is loaded, and plans how they are read. Returns 0
 * or a negative errno: -EINVAL if a cell is not what its descriptor says.
 */
int probe_size_cells(struct probe *probe);

/* For probe.c. Maps the beginning of the arrays. Returns 0 or -ENOMEM. */
int probe_open_cells(struct probe *probe);
void probe_close_cells(struct probe *probe);

#endif
