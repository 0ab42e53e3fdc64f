/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "probe/descriptors.h"
#include "probe/internal.h"
#include "probe/times.h"
#include "util/log.h"

#include "bramble.skel.h"

/* At first, and doubled as more are needed. */
#define SLOTS_MAPPED_MIN 64

static const struct probe_cells *cells_of(enum probe_id id)
{
	return &probe_descriptors[id]->cells;
}

/* Whether there is an array of cells: one for each slot, or one for each CPU and slot. */
static bool has_array(const struct probe *probe, enum probe_id id)
{
	return probe->enabled[id] && cells_of(id)->map && !cells_of(id)->keyed;
}

/* A row has a cell for each slot: of one CPU, or of all together. */
static unsigned int row_count(const struct probe *probe, enum probe_id id)
{
	return cells_of(id)->per_cpu ? probe->cpus : 1;
}

static struct bpf_map *map_of(const struct probe *probe, enum probe_id id)
{
	return bpf_object__find_map_by_name(probe->bpf->obj, cells_of(id)->map);
}

/* The cell's struct is the type of the map's values, which libbpf may forget as it loads. */
static int plan_sum(struct probe *probe, enum probe_id id)
{
	struct bpf_map *map = map_of(probe, id);
	int err = map ? cell_sum_plan(bpf_object__btf(probe->bpf->obj),
				      bpf_map__btf_value_type_id(map), cells_of(id),
				      &probe->cells[id].sum)
		      : -ENOENT;

	if (err)
		log_error("the map %s of the probe %s is missing, or not as its descriptor says: "
			  "this is a fault of bramble's",
			  cells_of(id)->map, probe_names[id]);
	return err;
}

int probe_size_cells(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES && !err; id++) {
		if (!has_array(probe, id))
			continue;
		err = plan_sum(probe, id);
		err = err
			      ?: bpf_map__set_max_entries(map_of(probe, id),
							  probe->slots * row_count(probe, id));
	}
	return err;
}

/* Maps the first slots of a row. Returns 0, or what mmap(2) says and leaves what was mapped. */
static int map_row(const struct probe *probe, enum probe_id id, unsigned int row,
		   unsigned int slots)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = cells_of(id)->size;
	size_t start = (size_t)row * probe->slots * size;
	size_t skipped = start % page;
	struct cell_row *to = &probe->cells[id].rows[row];
	struct cell_row now = {.len = skipped + slots * size, .skipped = skipped};

	now.data = mmap(NULL, now.len, PROT_READ | PROT_WRITE, MAP_SHARED,
			bpf_map__fd(map_of(probe, id)), (off_t)(start - skipped));
	if (now.data == MAP_FAILED)
		return -errno;
	if (to->data)
		munmap(to->data, to->len);
	*to = now;
	return 0;
}

/* Maps at least so many slots of a probe's cells. Returns 0, or what mmap(2) says. */
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

/* The cell of a slot in a row; map_slots() has mapped it. */
static void *cell_at(const struct cells *cells, unsigned int row, size_t offset)
{
	return (char *)cells->rows[row].data + cells->rows[row].skipped + offset;
}

int probe_open_cells(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES && !err; id++) {
		if (!has_array(probe, id))
			continue;
		probe->cells[id].rows =
			calloc(row_count(probe, id), sizeof(*probe->cells[id].rows));
		if (!probe->cells[id].rows)
			err = -ENOMEM;
		err = err ?: map_slots(probe, id, SLOT_OVERFLOW + 1);
	}
	return err;
}

void probe_close_cells(struct probe *probe)
{
	struct cell_row *rows;
	unsigned int row;
	enum probe_id id;

	for (id = 0; id < PROBES; id++) {
		rows = probe->cells[id].rows;
		for (row = 0; rows && row < row_count(probe, id); row++)
			if (rows[row].data)
				munmap(rows[row].data, rows[row].len);
		free(rows);
	}
}

bool probe_can_clear_cells(struct probe *probe, unsigned int slot)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->cells[id].rows && map_slots(probe, id, slot + 1))
			return false;
	return true;
}

void probe_clear_cells(struct probe *probe, unsigned int slot)
{
	unsigned int row;
	enum probe_id id;

	for (id = 0; id < PROBES; id++) {
		size_t size = cells_of(id)->size;

		for (row = 0; probe->cells[id].rows && row < row_count(probe, id); row++)
			memset(cell_at(&probe->cells[id], row, slot * size), 0, size);
	}
}

bool probe_read_pressure(struct probe *probe, unsigned int slot, struct probe_pressure *pressure)
{
	unsigned int cpu;
	enum probe_id id;
	size_t i;

	memset(pressure, 0, probe->cpus * sizeof(*pressure));
	for (id = 0; id < PROBES; id++) {
		const struct probe_descriptor *descriptor = probe_descriptors[id];
		size_t offset = slot * descriptor->cells.size;

		if (!descriptor->add_pressure || !probe->cells[id].rows)
			continue;
		if (map_slots(probe, id, slot + 1))
			return false;
		for (cpu = 0; cpu < probe->cpus; cpu++)
			descriptor->add_pressure(cell_at(&probe->cells[id], cpu, offset),
						 &pressure[cpu]);
	}
	for (cpu = 0; cpu < probe->cpus; cpu++)
		for (i = 0; i < PRESSURE_RESOURCES; i++)
			pressure[cpu].needed_ns += pressure[cpu].some_ns[i];
	return true;
}

/* How often a reading is tried at once. The kernel changes a cell within nanoseconds. */
#define READ_TRIES 4

/* The times of one row. */
static bool add_times(const struct probe *probe, enum probe_id id, unsigned int row, size_t offset,
		      struct probe_times *times)
{
	const volatile void *cell = cell_at(&probe->cells[id], row, offset);
	struct probe_times before = *times;
	int tries;

	for (tries = 0; tries < READ_TRIES; tries++) {
		if (probe_descriptors[id]->add_times(cell, times))
			return true;
		*times = before;
	}
	return false;
}

bool probe_read_times(struct probe *probe, unsigned int slot, struct probe_times *times)
{
	unsigned int row;
	enum probe_id id;

	*times = (struct probe_times){0};
	for (id = 0; id < PROBES; id++) {
		if (!probe_descriptors[id]->add_times || !probe->cells[id].rows)
			continue;
		if (map_slots(probe, id, slot + 1))
			return false;
		for (row = 0; row < row_count(probe, id); row++)
			if (!add_times(probe, id, row, slot * cells_of(id)->size, times))
				return false;
	}
	return true;
}

size_t probe_read_cell(struct probe *probe, enum probe_id id, unsigned int slot,
		       union probe_cell *cell)
{
	const struct probe_descriptor *descriptor = probe_descriptors[id];
	const struct cells *cells = &probe->cells[id];
	size_t size = descriptor->cells.size;
	unsigned int cpu;

	if (!cells->rows || !cells->sum.count || map_slots(probe, id, slot + 1))
		return 0;
	if (descriptor->cells.per_cpu) {
		memset(cell, 0, size);
		for (cpu = 0; cpu < probe->cpus; cpu++)
			cell_sum_add(&cells->sum, cell, cell_at(cells, cpu, slot * size));
	} else {
		memcpy(cell, cell_at(cells, 0, slot * size), size);
	}
	if (descriptor->read)
		descriptor->read(probe, slot, cell);
	return size;
}
