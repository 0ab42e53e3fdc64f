/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/maps.h"

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whole pages, which the kernel wants to see, of the 4 or 16 KiB of this machine. */
static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (size + page - 1) / page * page;
}

void *probe_map_array(const struct bpf_map *map)
{
	void *data = mmap(NULL, mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(map), 0);
	return data == MAP_FAILED ? NULL : data;
}

void probe_unmap_array(const struct bpf_map *map, void *data)
{
	if (data)
		munmap(data, mapped_size(map));
}

/*
 * The kernel keeps 128 free places of an LRU map for each CPU (LOCAL_FREE_TARGET in
 * kernel/bpf/bpf_lru_list.c). If there are fewer, it takes places that are in use.
 */
int probe_size_lru(struct bpf_map *map, unsigned int count, unsigned int cpus)
{
	return bpf_map__set_max_entries(map, count + 128 * cpus);
}
