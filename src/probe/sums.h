/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How the cells of one slot on all CPUs are summed. The plan comes from the BTF of the cell's
 * struct, which the BPF object carries: a new member is summed with no further step.
 */
#ifndef BRAMBLE_PROBE_SUMS_H
#define BRAMBLE_PROBE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/descriptor.h"

struct btf;

/* Numbers of one width that follow each other. */
struct cell_run {
	size_t offset; /* bytes */
	size_t count;
	bool wide; /* 64 bits; else 32 bits, which wrap */
};

#define CELL_RUNS_MAX 32

struct cell_sum {
	struct cell_run run[CELL_RUNS_MAX];
	size_t count; /* 0: there is nothing to read */
};

/*
 * Makes the plan for a cell, whose struct has the number type in the BTF: __u64, struct hist and
 * arrays of both are summed; members that the descriptor names as private are left out, unless it
 * wants their sums. Returns 0, or -EINVAL if a member is of another type, or if the struct has
 * another size than the descriptor says, -E2BIG if there are too many members.
 */
int cell_sum_plan(const struct btf *btf, uint32_t type, const struct probe_cells *cells,
		  struct cell_sum *out);

/* Adds a cell, which the kernel may be writing to. */
void cell_sum_add(const struct cell_sum *sum, union probe_cell *total, const void *cell);

#endif
