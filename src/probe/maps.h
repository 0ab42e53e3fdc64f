/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's arrays, mapped, so that reading them needs no system call. */
#ifndef BRAMBLE_PROBE_MAPS_H
#define BRAMBLE_PROBE_MAPS_H

struct bpf_map;

/* Maps all of an array. NULL if that fails. */
void *probe_map_array(const struct bpf_map *map);

/* data: NULL for nothing. */
void probe_unmap_array(const struct bpf_map *map, void *data);

/*
 * Call this before loading. It makes room for count entries in an LRU map, and for those that the
 * kernel keeps ready for each CPU. Returns 0 or a negative errno.
 */
int probe_size_lru(struct bpf_map *map, unsigned int count, unsigned int cpus);

#endif
