/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CPU time that interrupts took, by CPU. On a Raspberry Pi, all interrupts of the network and the
 * disk go to CPU 0 by default, and no container's CPU use shows them.
 */
#ifndef BRAMBLE_NODE_INTERRUPTS_H
#define BRAMBLE_NODE_INTERRUPTS_H

#include <stddef.h>
#include <stdint.h>

/* CPUs beyond these are left out: this is for small machines. */
#define INTERRUPTS_CPUS_MAX 64

enum interrupt_kind {
	INTERRUPT_HARD,
	INTERRUPT_SOFT,
	INTERRUPT_KINDS,
};

struct interrupt_cpu {
	unsigned int cpu;
	uint64_t ns[INTERRUPT_KINDS];
};

struct interrupts {
	int fd;	      /* negative: the file is not there */
	size_t count; /* of CPUs that are online */
	struct interrupt_cpu cpus[INTERRUPTS_CPUS_MAX];
	uint64_t last_ns[INTERRUPTS_CPUS_MAX][INTERRUPT_KINDS]; /* as read before, by CPU number */
};

void interrupts_open(struct interrupts *interrupts, const char *procfs);
void interrupts_read(struct interrupts *interrupts);
void interrupts_close(struct interrupts *interrupts);

#endif
