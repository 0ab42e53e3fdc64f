/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's arrays: slots, cells, pairs. Mapped, so that reading them is no
 * system call. What is mapped counts as resident memory, so of the cells only as
 * many are as slots have been in use; the kernel gives the lowest free ones first.
 */
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
	/* Whichever probe sees a stall. */
	[PROBE_CGROUP] = {"stall_cells", sizeof(struct stall_cell), true},
};

/* At first, and doubled as more are needed. */
#define SLOTS_MAPPED_MIN 64

/* A row has a cell for each slot: of one CPU, or of all together. */
static unsigned int row_count(const struct probe *probe, enum probe_id id)
{
	return cell_maps[id].per_cpu ? probe->cpus : 1;
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
						       probe->slots *
							       row_count(probe, (enum probe_id)id));
	return err;
}

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

/* Maps the first slots of a row. Returns 0 or -ENOMEM, and leaves what was mapped then. */
static int map_row(const struct probe *probe, enum probe_id id, unsigned int row,
		   unsigned int slots)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t start = (size_t)row * probe->slots * cell_maps[id].size;
	size_t skipped = start % page;
	struct cell_row *to = &probe->cells[id].rows[row];
	struct cell_row now = {.len = skipped + slots * cell_maps[id].size, .skipped = skipped};

	now.data = mmap(NULL, now.len, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(cell_map(probe, id)), (off_t)(start - skipped));
	if (now.data == MAP_FAILED)
		return -ENOMEM;
	if (to->data)
		munmap(to->data, to->len);
	*to = now;
	return 0;
}

/* Maps at least so many slots of a probe's cells. Returns 0 or -ENOMEM. */
static int map_slots(struct probe *probe, enum probe_id id, unsigned int slots)
{
	struct cells *cells = &probe->cells[id];
	unsigned int row, wanted = cells->mapped ? cells->mapped : SLOTS_MAPPED_MIN;
	int err = 0;

	if (slots <= cells->mapped)
		return 0;
	while (wanted < slots)
		wanted *= 2;
	if (wanted > probe->slots)
		wanted = probe->slots;
	for (row = 0; row < row_count(probe, id) && !err; row++)
		err = map_row(probe, id, row, wanted);
	if (!err)
		cells->mapped = wanted;
	return err;
}

/* NULL if the probe is not enabled, has no cells, or there is no memory to map them. */
static void *cell_at(struct probe *probe, enum probe_id id, unsigned int row, unsigned int slot)
{
	const struct cell_row *cells;

	if (!probe->cells[id].rows || map_slots(probe, id, slot + 1))
		return NULL;
	cells = &probe->cells[id].rows[row];
	return (char *)cells->data + cells->skipped + slot * cell_maps[id].size;
}

static void unmap_cells(struct probe *probe, enum probe_id id)
{
	struct cell_row *rows = probe->cells[id].rows;
	unsigned int row;

	for (row = 0; rows && row < row_count(probe, id); row++)
		if (rows[row].data)
			munmap(rows[row].data, rows[row].len);
	free(rows);
}

/* A stack: the last one goes in first, so that the lowest are given first. */
static int fill_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free);
	unsigned int slot;

	for (slot = probe->slots - 1; slot > SLOT_OVERFLOW; slot--)
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
		probe->cells[id].rows =
			calloc(row_count(probe, (enum probe_id)id), sizeof(*probe->cells[id].rows));
		if (!cell_at(probe, (enum probe_id)id, 0, SLOT_OVERFLOW))
			return -ENOMEM;
	}
	probe->slot_cgroups = probe_map_array(bpf->maps.slot_cgroups);
	probe->sched_cpus = probe_map_array(bpf->maps.sched_cpus);
	for (cpu = 0; probe->sched_cpus && cpu < probe->cpus; cpu++)
		probe->sched_cpus[cpu].first_cell = cpu * probe->slots;
	if (probe->enabled[PROBE_TCP]) {
		probe->tcp_cpus = probe_map_array(bpf->maps.tcp_cpus);
		if (!probe->tcp_cpus)
			return -ENOMEM;
	}
	probe->pairs_max = bpf_map__max_entries(bpf->maps.wait_pairs);
	probe->pair = calloc(probe->pairs_max, sizeof(*probe->pair));
	probe->pair_ns = calloc(probe->pairs_max, sizeof(*probe->pair_ns));
	probe->closed = calloc(probe->slots, sizeof(*probe->closed));
	if (!probe->slot_cgroups || !probe->sched_cpus || !probe->pair || !probe->pair_ns ||
	    !probe->closed)
		return -ENOMEM;
	if (probe->enabled[PROBE_TCP]) {
		probe->connections = calloc(probe->slots, sizeof(*probe->connections));
		if (!probe->connections)
			return -ENOMEM;
	}
	probe_open_victims(probe);
	return probe_map_blocks(probe) ?: fill_free_slots(probe);
}

void probe_unmap_cells(struct probe *probe)
{
	int id;

	for (id = 0; id < PROBES; id++)
		unmap_cells(probe, (enum probe_id)id);
	probe_unmap_array(probe->bpf->maps.slot_cgroups, probe->slot_cgroups);
	probe_unmap_array(probe->bpf->maps.sched_cpus, probe->sched_cpus);
	probe_unmap_array(probe->bpf->maps.tcp_cpus, probe->tcp_cpus);
	probe_unmap_blocks(probe);
	free(probe->connections);
	free(probe->pair);
	free(probe->pair_ns);
	free(probe->closed);
}

unsigned int probe_slots(const struct probe *probe)
{
	return probe->slots;
}

uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot)
{
	return __atomic_load_n(&probe->slot_cgroups[slot], __ATOMIC_ACQUIRE);
}

static void sum_sched(struct probe *probe, unsigned int slot, struct sched_cell *sum)
{
	unsigned int cpu;
	size_t i;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < probe->cpus; cpu++) {
		const volatile struct sched_cell *cell = cell_at(probe, PROBE_SCHED, cpu, slot);

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

static void read_pressure(const volatile struct sched_cell *sched,
			  const volatile struct stall_cell *stalls, struct probe_pressure *pressure)
{
	uint64_t *some_ns = pressure->some_ns;

	some_ns[PRESSURE_CPU] = sched ? sched->waiting.covered_ns : 0;
	some_ns[PRESSURE_MEMORY] = stalls->memory.time.covered_ns;
	some_ns[PRESSURE_IO] = stalls->io.time.covered_ns;
	pressure->needed_ns = (sched ? sched->ran_ns : 0) + some_ns[PRESSURE_CPU] +
			      some_ns[PRESSURE_MEMORY] + some_ns[PRESSURE_IO];
}

bool probe_read_pressure(struct probe *probe, unsigned int slot, struct probe_pressure *pressure)
{
	unsigned int cpu;

	if (!cell_at(probe, PROBE_CGROUP, 0, slot))
		return false;
	for (cpu = 0; cpu < probe->cpus; cpu++)
		read_pressure(cell_at(probe, PROBE_SCHED, cpu, slot),
			      cell_at(probe, PROBE_CGROUP, cpu, slot), &pressure[cpu]);
	return true;
}

size_t probe_read_cell(struct probe *probe, enum probe_id id, unsigned int slot,
		       union probe_cell *cell)
{
	const void *first = id < PROBE_CGROUP ? cell_at(probe, id, 0, slot) : NULL;

	if (!first)
		return 0;
	if (id == PROBE_SCHED)
		sum_sched(probe, slot, &cell->sched);
	else
		memcpy(cell, first, cell_maps[id].size);
	if (id == PROBE_TCP)
		cell->tcp.open = probe->connections[slot];
	return cell_maps[id].size;
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

static int free_pairs(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	int i, count = read_pairs(probe);

	for (i = 0; i < count; i++)
		if (probe_is_closed(probe, probe->pair[i].victim) ||
		    probe_is_closed(probe, probe->pair[i].cause))
			bpf_map_delete_elem(fd, &probe->pair[i]);
	return count < 0 ? count : 0;
}

bool probe_is_closed(const struct probe *probe, unsigned int slot)
{
	return slot < probe->slots && probe->closed[slot];
}

int probe_close_slot(struct probe *probe, unsigned int slot)
{
	uint64_t id = probe_slot_cgroup(probe, slot);
	int err;

	if (!id)
		return -ENOENT;
	/* Without memory for this, the slot stays as it is. */
	err = probe_map_sockets(probe);
	if (err)
		return err;
	if (bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_by_cgroup), &id)) {
		err = -errno;
		probe_unmap_sockets(probe);
		return err;
	}
	__atomic_store_n(&probe->slot_cgroups[slot], 0, __ATOMIC_RELEASE);
	__atomic_add_fetch(&probe->bpf->data->membership_generation, SLOTS_MAX, __ATOMIC_RELEASE);
	probe_free_sockets(probe, slot);
	probe_unmap_sockets(probe);
	probe->closed[slot] = true;
	return 0;
}

int probe_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free);
	unsigned int slot;
	int err = free_pairs(probe);

	err = probe_free_blocks(probe) ?: err;
	/* The lowest is to be given first. */
	for (slot = probe->slots - 1; slot > SLOT_OVERFLOW; slot--) {
		if (!probe->closed[slot])
			continue;
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY))
			err = -errno;
		probe->closed[slot] = false;
	}
	return err;
}
