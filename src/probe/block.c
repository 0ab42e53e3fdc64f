/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The block probe's cells and what it remembers of requests: two hash maps, read in batches. */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "probe/internal.h"
#include "util/clock.h"

#include "bramble.skel.h"

/* A request that was last seen so long ago is forgotten where there is no room for others. */
#define REQUEST_OLD_NS (60 * NS_PER_S)

int probe_map_blocks(struct probe *probe)
{
	if (!probe->enabled[PROBE_BLOCK])
		return 0;
	probe->block_cpus = probe_map_array(probe->bpf->maps.block_cpus);
	probe->block_key = calloc(BLOCK_CELLS_MAX, sizeof(*probe->block_key));
	/* As large as the map; memory is taken by what is read. */
	probe->block_cell = calloc(BLOCK_CELLS_MAX, sizeof(*probe->block_cell));
	return probe->block_cpus && probe->block_key && probe->block_cell ? 0 : -ENOMEM;
}

void probe_unmap_blocks(struct probe *probe)
{
	probe_unmap_array(probe->bpf->maps.block_cpus, probe->block_cpus);
	free(probe->block_key);
	free(probe->block_cell);
}

/* Reads all cells into probe->block_key and block_cell. Returns how many, or a negative errno. */
static int read_blocks(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.block_cells);
	uint32_t position = 0, count = BLOCK_CELLS_MAX;

	if (!probe->block_cell)
		return 0;
	if (bpf_map_lookup_batch(fd, NULL, &position, probe->block_key, probe->block_cell, &count,
				 NULL) &&
	    errno != ENOENT)
		return -errno;
	return (int)count;
}

int probe_read_blocks(struct probe *probe, probe_block_fn each, void *context)
{
	int i, count = read_blocks(probe);

	for (i = 0; i < count; i++)
		each(context, &probe->block_key[i], &probe->block_cell[i]);
	return count < 0 ? count : 0;
}

int probe_free_blocks(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.block_cells);
	int i, count = read_blocks(probe);

	for (i = 0; i < count; i++)
		if (probe_is_closed(probe, probe->block_key[i].slot))
			bpf_map_delete_elem(fd, &probe->block_key[i]);
	return count < 0 ? count : 0;
}

static void forget_old_requests(int fd, const uint64_t *rq, const struct block_request *request,
				uint32_t count)
{
	uint64_t now_ns = clock_monotonic_ns();
	uint32_t i;

	for (i = 0; i < count; i++) {
		uint64_t seen_ns = request[i].issue_ns ?: request[i].start_ns;

		if (now_ns > seen_ns && now_ns - seen_ns > REQUEST_OLD_NS)
			bpf_map_delete_elem(fd, &rq[i]);
	}
}

int probe_tidy_blocks(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.block_requests);
	uint32_t position = 0, count = BLOCK_REQUESTS_MAX;
	struct block_request *request;
	uint64_t *rq, full;
	int err = 0;

	if (!probe->block_cpus)
		return 0;
	full = probe_block_lost(probe, BLOCK_LOST_REQUESTS_FULL);
	if (full == probe->block_requests_full)
		return 0;
	probe->block_requests_full = full;
	rq = calloc(count, sizeof(*rq));
	request = calloc(count, sizeof(*request));
	if (!rq || !request)
		err = -ENOMEM;
	else if (bpf_map_lookup_batch(fd, NULL, &position, rq, request, &count, NULL) &&
		 errno != ENOENT)
		err = -errno;
	else
		forget_old_requests(fd, rq, request, count);
	free(rq);
	free(request);
	return err;
}

uint64_t probe_block_lost(const struct probe *probe, enum block_lost reason)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; probe->block_cpus && cpu < probe->cpus; cpu++)
		sum += __atomic_load_n(&probe->block_cpus[cpu].lost[reason], __ATOMIC_RELAXED);
	return sum;
}

uint64_t probe_block_events(const struct probe *probe)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; probe->block_cpus && cpu < probe->cpus; cpu++)
		sum += __atomic_load_n(&probe->block_cpus[cpu].events, __ATOMIC_RELAXED);
	return sum;
}
