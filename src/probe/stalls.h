/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The threads that are in a stall: those of an fsync and of memory. */
#ifndef BRAMBLE_PROBE_STALLS_H
#define BRAMBLE_PROBE_STALLS_H

#include <stdint.h>

struct bpf_map;
struct stall_counts;

/*
 * Counts the places in use anew, and frees those of threads whose end was missed. now_ns:
 * CLOCK_MONOTONIC. Call it from time to time. Returns 0, or -ENOMEM if the map cannot be mapped:
 * then the counts stay as they were.
 */
int stalls_tidy(const struct bpf_map *stalls, struct stall_counts *counts, uint64_t now_ns);

#endif
