/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The time in which at least one task of a cgroup was stalled. */
#ifndef BRAMBLE_PRESSURE_BPF_H
#define BRAMBLE_PRESSURE_BPF_H

#include "bramble/pressure.h"
#include "slots.bpf.h"

/*
 * Adds a stall: a task of the slot lacked memory or waited for I/O from since_ns to until_ns, on
 * that CPU. (The kernel's PSI counts it for the same CPU.) Call this in the order of the ends. A
 * stall that ends before it begins is not counted. Returns 0.
 *
 * Two stalls of one slot and CPU may end at the same instant on two CPUs, or one may end in an
 * interrupt of the other's end. Each may then be added as if the other did not exist. The sum is
 * too large by at most the length of one of them. The covered time never falls.
 */
int pressure_add(enum pressure_resource of, __u32 cpu, __u32 slot, __u64 since_ns, __u64 until_ns);

#endif
