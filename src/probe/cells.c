/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's arrays: slots, cells, pairs. Mapped, so that reading them is no system call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "probe/internal.h"

#include "bramble.skel.h"

/* The array of each probe's cells. A probe without one has no row. */
static const struct {
	const char *map;
	size_t size;  /* of a cell */
	bool per_cpu; /* by CPU and slot, and not by slot alone */
} cell_maps[PROBES] = {
	[PROBE_SCHED] = {"sched_cells", sizeof(struct sched_cell), true},
	[PROBE_FSYNC] = {"fsync_cells", sizeof(struct fsync_cell), false},
	[PROBE_MEMORY] = {"memory_cells", sizeof(struct memory_cell), false},
	[PROBE_TCP] = {"tcp_cells", sizeof(struct tcp_cell), false},
};

/* Cells in the array of a probe that is enabled. */
static unsigned int cell_count(const struct probe *probe, enum probe_id id)
{
	return cell_maps[id].per_cpu ? probe->slots * probe->cpus : probe->slots;
}

static struct bpf_map *cell_map(const struct probe *probe, enum probe_id id)
{
	return bpf_object__find_map_by_name(probe->bpf->obj, cell_maps[id].map);
}

int probe_size_cells(struct probe *probe)
{
	int id, err = 0;

	for (id = 0; id < PROBES && !err; id++)
		if (cell_maps[id].map && probe->enabled[id])
			err = bpf_map__set_max_entries(cell_map(probe, (enum probe_id)id),
						       cell_count(probe, (enum probe_id)id));
	return err;
}

/* Whole pages, which the kernel wants to see, of the 4 or 16 KiB of this machine. */
static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (size + page - 1) / page * page;
}

static void *map_array(const struct bpf_map *map)
{
	void *data = mmap(NULL, mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(map), 0);
	return data == MAP_FAILED ? NULL : data;
}

static void unmap_array(const struct bpf_map *map, void *data)
{
	if (data)
		munmap(data, mapped_size(map));
}

static int fill_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free);
	unsigned int slot;

	for (slot = SLOT_OVERFLOW + 1; slot < probe->slots; slot++)
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

int probe_map_cells(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	unsigned int cpu;
	int id;

	for (id = 0; id < PROBES; id++) {
		if (!cell_maps[id].map || !probe->enabled[id])
			continue;
		probe->cells[id] = map_array(cell_map(probe, (enum probe_id)id));
		if (!probe->cells[id])
			return -ENOMEM;
	}
	probe->slot_cgroups = map_array(bpf->maps.slot_cgroups);
	probe->sched_cpus = map_array(bpf->maps.sched_cpus);
	for (cpu = 0; probe->sched_cpus && cpu < probe->cpus; cpu++)
		probe->sched_cpus[cpu].first_cell = cpu * probe->slots;
	if (probe->enabled[PROBE_TCP]) {
		probe->tcp_cpus = map_array(bpf->maps.tcp_cpus);
		probe->sockets = map_array(bpf->maps.tcp_sockets);
		if (!probe->tcp_cpus || !probe->sockets)
			return -ENOMEM;
	}
	probe->pairs_max = bpf_map__max_entries(bpf->maps.wait_pairs);
	probe->pair = calloc(probe->pairs_max, sizeof(*probe->pair));
	probe->pair_ns = calloc(probe->pairs_max, sizeof(*probe->pair_ns));
	if (!probe->slot_cgroups || !probe->sched_cpus || !probe->pair || !probe->pair_ns)
		return -ENOMEM;
	return fill_free_slots(probe);
}

void probe_unmap_cells(struct probe *probe)
{
	int id;

	for (id = 0; id < PROBES; id++)
		if (probe->cells[id])
			unmap_array(cell_map(probe, (enum probe_id)id), probe->cells[id]);
	unmap_array(probe->bpf->maps.slot_cgroups, probe->slot_cgroups);
	unmap_array(probe->bpf->maps.sched_cpus, probe->sched_cpus);
	unmap_array(probe->bpf->maps.tcp_cpus, probe->tcp_cpus);
	unmap_array(probe->bpf->maps.tcp_sockets, probe->sockets);
	free(probe->pair);
	free(probe->pair_ns);
}

unsigned int probe_slots(const struct probe *probe)
{
	return probe->slots;
}

uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot)
{
	return __atomic_load_n(&probe->slot_cgroups[slot], __ATOMIC_ACQUIRE);
}

static void sum_sched(const struct probe *probe, unsigned int slot, struct sched_cell *sum)
{
	const struct sched_cell *cells = probe->cells[PROBE_SCHED];
	unsigned int cpu;
	size_t i;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < probe->cpus; cpu++) {
		const volatile struct sched_cell *cell = &cells[(size_t)cpu * probe->slots + slot];

		for (i = 0; i < SWITCH_KINDS; i++)
			sum->switches[i] += cell->switches[i];
		sum->caused_other_ns += cell->caused_other_ns;
		sum->caused_other += cell->caused_other;
		sum->wait.sum_ns += cell->wait.sum_ns;
		for (i = 0; i < HIST_BUCKETS; i++)
			sum->wait.bucket[i] += cell->wait.bucket[i];
	}
}

unsigned int probe_cpus(const struct probe *probe)
{
	return probe->cpus;
}

bool probe_read_pressure(const struct probe *probe, unsigned int slot,
			 struct probe_pressure *pressure)
{
	const struct sched_cell *cells = probe->cells[PROBE_SCHED];
	unsigned int cpu;

	for (cpu = 0; cells && cpu < probe->cpus; cpu++) {
		const volatile struct sched_cell *cell = &cells[(size_t)cpu * probe->slots + slot];

		pressure[cpu].waiting_ns = cell->waiting.covered_ns;
		pressure[cpu].needed_ns = cell->ran_ns + cell->waiting.covered_ns;
	}
	return cells != NULL;
}

size_t probe_read_cell(const struct probe *probe, enum probe_id id, unsigned int slot,
		       union probe_cell *cell)
{
	size_t size = cell_maps[id].size;

	if (!probe->cells[id])
		return 0;
	if (id == PROBE_SCHED)
		sum_sched(probe, slot, &cell->sched);
	else
		memcpy(cell, (const char *)probe->cells[id] + slot * size, size);
	return size;
}

/* Reads the map of pairs into probe->pair and pair_ns. Returns how many, or a negative errno. */
static int read_pairs(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	uint32_t position = 0, count = probe->pairs_max;

	if (bpf_map_lookup_batch(fd, NULL, &position, probe->pair, probe->pair_ns, &count, NULL) &&
	    errno != ENOENT)
		return -errno;
	return (int)count;
}

int probe_read_pairs(struct probe *probe, probe_pair_fn each, void *context)
{
	int i, count = read_pairs(probe);

	for (i = 0; i < count; i++)
		each(context, probe->pair[i], probe->pair_ns[i]);
	return count < 0 ? count : 0;
}

static int free_pairs(struct probe *probe, unsigned int slot)
{
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	int i, count = read_pairs(probe);

	for (i = 0; i < count; i++)
		if (probe->pair[i].victim == slot || probe->pair[i].cause == slot)
			bpf_map_delete_elem(fd, &probe->pair[i]);
	return count < 0 ? count : 0;
}

/* What is left of a gone cgroup's sockets belongs to nobody, until somebody uses it. */
static void free_sockets(struct probe *probe, unsigned int slot)
{
	unsigned int i, way;

	for (i = 0; probe->sockets && i < SOCKET_SETS; i++) {
		struct socket_set *set = &probe->sockets[i];

		for (way = 0; way < SOCKET_WAYS; way++)
			if (set->info[way] & SOCKET_OWNED && (set->info[way] & SOCKET_SLOT) == slot)
				__atomic_and_fetch(&set->info[way], ~SOCKET_OWNED,
						   __ATOMIC_RELAXED);
	}
}

static void clear_cells(struct probe *probe, unsigned int slot)
{
	unsigned int i;
	int id;

	for (id = 0; id < PROBES; id++)
		for (i = slot; probe->cells[id] && i < cell_count(probe, (enum probe_id)id);
		     i += probe->slots)
			memset((char *)probe->cells[id] + i * cell_maps[id].size, 0,
			       cell_maps[id].size);
}

int probe_free_slot(struct probe *probe, unsigned int slot)
{
	uint64_t id = probe_slot_cgroup(probe, slot);
	int err;

	if (!id)
		return -ENOENT;
	/* First no way leads to the slot any more, then it is cleared. */
	if (bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_by_cgroup), &id))
		return -errno;
	__atomic_store_n(&probe->slot_cgroups[slot], 0, __ATOMIC_RELEASE);
	__atomic_add_fetch(&probe->bpf->data->membership_generation, 1, __ATOMIC_RELEASE);
	err = free_pairs(probe, slot);
	free_sockets(probe, slot);
	clear_cells(probe, slot);
	if (bpf_map_update_elem(bpf_map__fd(probe->bpf->maps.slot_free), NULL, &slot, BPF_ANY))
		return -errno;
	return err;
}
