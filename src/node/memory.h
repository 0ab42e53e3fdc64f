/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The memory of the machine, from meminfo. */
#ifndef BRAMBLE_NODE_MEMORY_H
#define BRAMBLE_NODE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

enum memory_value {
	MEMORY_TOTAL,
	MEMORY_AVAILABLE, /* how much new programs can use without swapping */
	MEMORY_SWAP_TOTAL,
	MEMORY_SWAP_FREE,
	MEMORY_VALUES,
};

struct memory {
	int fd; /* negative: the file is not there */
	bool known[MEMORY_VALUES];
	uint64_t bytes[MEMORY_VALUES];
};

void memory_open(struct memory *memory, const char *procfs);
void memory_read(struct memory *memory);
void memory_close(struct memory *memory);

#endif
