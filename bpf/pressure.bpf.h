/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The time in which at least one task of a cgroup was stalled. */
#ifndef BRAMBLE_PRESSURE_BPF_H
#define BRAMBLE_PRESSURE_BPF_H

#include "bramble/pressure.h"
#include "slots.bpf.h"

/*
 * A task of a slot was stalled for want of memory or I/O from since_ns to until_ns: on that CPU,
 * where the kernel's PSI counts it, too. To be told in the order of the ends; one that ends before
 * it begins is not counted. Returns 0.
 *
 * Two stalls of one slot and CPU that end at the same instant on two CPUs, or one in an interrupt
 * of the other's end, may be added as if the other were not: by no more than one of them is long.
 * What is covered never falls.
 */
int pressure_add(enum pressure_resource of, __u32 cpu, __u32 slot, __u64 since_ns, __u64 until_ns);

#endif
