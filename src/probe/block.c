/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The block probe. Its cells, and what it remembers of requests, are in two hash maps that are
 * read in batches.
 */
#include "probe/block.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/features.h"
#include "obstacle/obstacle.h"
#include "probe/descriptor.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/programs.h"
#include "util/array.h"
#include "util/clock.h"

#include "bramble.skel.h"

/* If there is no room for others, a request that was last seen this long ago is forgotten. */
#define REQUEST_OLD_NS	   (60 * NS_PER_S)

/* How many bios that are held at a limit are remembered at a time. */
#define THROTTLED_BIOS_MAX 1024

struct block_probe {
	bool btf;		      /* the programs may use the kernel's types */
	bool bio_cgroups;	      /* a bio's cgroup is known, and one of version 2 */
	struct bramble_bpf *throttle; /* with the programs for the limits of io.max */
	struct block_cpu *cpus;
	uint64_t requests_full; /* losses as of the last tidying */

	/* One read of the cells. */
	struct block_key *key;
	struct block_cell *cell;
};

enum need {
	NEED_RECORDS = 1 << 0,	/* what a request is comes from the records of tracepoints */
	NEED_IO_START = 1 << 1, /* there is block_io_start, since 6.5 */
	NEED_NO_IO_START = 1 << 2,
	NEED_QUEUE = 1 << 3, /* the raw tracepoints of block requests pass the queue first */
	NEED_NO_QUEUE = 1 << 4,
	NEED_TYPED = 1 << 5, /* the kernel itself has BTF: types for a tracepoint's arguments */
	NEED_UNTYPED = 1 << 6,
};

#define ISSUE	 "block/block_rq_issue"
#define IO_START "block/block_io_start"
#define INSERT	 "block/block_rq_insert"
#define MERGE	 "block/block_rq_merge"
#define REQUEUE	 "block/block_rq_requeue"
#define REMEDY	 "use a kernel with CONFIG_BLOCK and CONFIG_TRACEPOINTS"

/* Those that keep records go first: see take_record() in bpf/block.bpf.c. */
static const struct program_row programs[] = {
	{"block_io_start_record", .event = IO_START, .needs = NEED_RECORDS | NEED_IO_START,
	 .purpose = "the whole wait of requests before the device; without it, from their "
		    "queueing on",
	 .remedy = "none needed; kernels since 6.5 have it"},
	{"block_rq_issue_record", .event = ISSUE, .needs = NEED_RECORDS,
	 .purpose = "requests to block devices", .remedy = REMEDY},
	{"block_io_start", .event = IO_START, .needs = NEED_IO_START},
	{"block_rq_insert", .event = INSERT, .needs = NEED_NO_IO_START | NEED_NO_QUEUE,
	 .purpose = "the wait of requests before the device, on kernels before 6.5",
	 .remedy = REMEDY},
	{"block_rq_insert_q", .event = INSERT, .needs = NEED_NO_IO_START | NEED_QUEUE},
	{"block_rq_merge", .event = MERGE, .needs = NEED_NO_IO_START | NEED_NO_QUEUE,
	 .purpose = "the end of requests that become part of another one, on kernels before 6.5",
	 .remedy = REMEDY},
	{"block_rq_merge_q", .event = MERGE, .needs = NEED_NO_IO_START | NEED_QUEUE},
	{"block_rq_issue_typed", .event = ISSUE, .needs = NEED_TYPED | NEED_NO_QUEUE},
	{"block_rq_issue", .event = ISSUE, .needs = NEED_UNTYPED | NEED_NO_QUEUE},
	{"block_rq_issue_q", .event = ISSUE, .needs = NEED_QUEUE},
	{"block_rq_requeue", .event = REQUEUE, .needs = NEED_NO_QUEUE,
	 .purpose = "the wait of requests that the driver gives back", .remedy = REMEDY},
	{"block_rq_requeue_q", .event = REQUEUE, .needs = NEED_QUEUE},
	{"block_rq_complete", .event = "block/block_rq_complete",
	 .purpose = "the end of requests to block devices", .remedy = REMEDY},
	{"function_throttle_begin", .function = "__blk_throtl_bio"},
	{"function_throttle_end", .function = "__blk_throtl_bio"},
};

/* The records that the programs read. */
static const struct tracefs_record records[] = {
	{ISSUE, "trace_event_raw_block_rq"},
};

static const char *const losses[BLOCK_LOST_REASONS] = {
	[BLOCK_LOST_NO_ISSUE] = "no_issue",	[BLOCK_LOST_NO_COMPLETE] = "no_complete",
	[BLOCK_LOST_UNPAIRED] = "unpaired",	[BLOCK_LOST_REQUESTS_FULL] = "requests_full",
	[BLOCK_LOST_CELLS_FULL] = "cells_full", [BLOCK_LOST_CLOCK] = "clock",
};

static struct block_probe *state_of(const struct probe *probe)
{
	return probe->state[PROBE_BLOCK];
}

static unsigned int holds(struct probe *probe, const struct probe_options *options)
{
	struct block_probe *state = state_of(probe);
	bool typed;

	/* Kernels that lack the helper (5.10) also refuse the programs that use types. */
	state->btf = probe->btf && feature_ancestor_cgroup_id() > 0;
	state->bio_cgroups = state->btf && feature_io_cgroups("/proc") > 0;
	typed = strcmp(options->btf, "auto") == 0 && state->btf;
	return (feature_event(options->tracefs, IO_START) > 0 ? NEED_IO_START : NEED_NO_IO_START) |
	       (feature_block_queue() > 0 ? NEED_QUEUE : NEED_NO_QUEUE) |
	       (typed ? NEED_TYPED : NEED_UNTYPED) | (state->btf ? 0 : NEED_RECORDS);
}

static int size(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err = bpf_map__set_max_entries(bpf->maps.block_cpus, probe->cpus);

	bpf->rodata->block_btf = state_of(probe)->btf;
	bpf->rodata->block_bio_cgroups = state_of(probe)->bio_cgroups;
	return err ?: probe_size_lru(bpf->maps.throttled_bios, THROTTLED_BIOS_MAX, probe->cpus);
}

static int open_state(struct probe *probe)
{
	struct block_probe *state = state_of(probe);

	state->cpus = probe_map_array(probe->bpf->maps.block_cpus);
	state->key = calloc(BLOCK_CELLS_MAX, sizeof(*state->key));
	/* As large as the map. Only what is read takes memory. */
	state->cell = calloc(BLOCK_CELLS_MAX, sizeof(*state->cell));
	return state->cpus && state->key && state->cell ? 0 : -ENOMEM;
}

static void close_state(struct probe *probe)
{
	struct block_probe *state = state_of(probe);

	probe_unmap_array(probe->bpf->maps.block_cpus, state->cpus);
	free(state->key);
	free(state->cell);
	bramble_bpf__destroy(state->throttle);
}

/*
 * The wait of a bio at a limit of io.max, before there is a request. Such limits exist only if the
 * io controller belongs to cgroup v2.
 */
static void attach_throttle(struct probe *probe)
{
	int err;

	if (!state_of(probe)->bio_cgroups)
		return;
	err = probe_hook_functions(probe, PROBE_BLOCK, "function_throttle_",
				   &state_of(probe)->throttle);
	if (err)
		obstacle_report(LOG_INFO, &probe->place, OBSTACLE_FUNCTION, err,
				"waits at the limits of io.max are not measured");
}

static int attach(struct probe *probe)
{
	int err = probe_attach_all(probe, PROBE_BLOCK);

	if (!err)
		attach_throttle(probe);
	return err;
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		sum += __atomic_load_n(&state_of(probe)->cpus[cpu].lost[loss], __ATOMIC_RELAXED);
	return sum;
}

static uint64_t events(const struct probe *probe)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		sum += __atomic_load_n(&state_of(probe)->cpus[cpu].events, __ATOMIC_RELAXED);
	return sum;
}

static const char *attribution(const struct probe *probe)
{
	return state_of(probe)->bio_cgroups ? "bio_cgroup" : "current_task";
}

/* Reads all cells into the state. Returns how many, or a negative errno. */
static int read_cells(struct probe *probe)
{
	struct block_probe *state = state_of(probe);
	int fd = bpf_map__fd(probe->bpf->maps.block_cells);
	uint32_t position = 0, count = BLOCK_CELLS_MAX;

	if (bpf_map_lookup_batch(fd, NULL, &position, state->key, state->cell, &count, NULL) &&
	    errno != ENOENT)
		return -errno;
	return (int)count;
}

int probe_read_blocks(struct probe *probe, probe_block_fn each, void *context)
{
	const struct block_probe *state = state_of(probe);
	int i, count = probe->enabled[PROBE_BLOCK] ? read_cells(probe) : 0;

	for (i = 0; i < count; i++)
		each(context, &state->key[i], &state->cell[i]);
	return count < 0 ? count : 0;
}

static int free_cells(struct probe *probe)
{
	const struct block_probe *state = state_of(probe);
	int fd = bpf_map__fd(probe->bpf->maps.block_cells);
	int i, count = read_cells(probe), err = count < 0 ? count : 0;

	for (i = 0; i < count; i++)
		if (probe_is_freed(probe, state->key[i].slot) &&
		    bpf_map_delete_elem(fd, &state->key[i]) && errno != ENOENT)
			err = -errno;
	return err;
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

/*
 * If requests could not be remembered, makes room: forgets those that were last seen more than a
 * minute ago, such as those of removed devices. Cheap if there was room for all.
 */
static int tidy(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.block_requests);
	uint32_t position = 0, count = BLOCK_REQUESTS_MAX;
	uint64_t *rq, full = lost(probe, BLOCK_LOST_REQUESTS_FULL);
	struct block_request *request;
	int err = 0;

	if (full == state_of(probe)->requests_full)
		return 0;
	state_of(probe)->requests_full = full;
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

const struct probe_descriptor probe_block = {
	.flag_help = "Measure requests to block devices.",
	.flag_rank = 5,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(block_cell), .keyed = true, .labels = {"device", "op"}},
	.maps = {"block_requests"},
	.records = records,
	.record_count = ARRAY_SIZE(records),
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.attribution = attribution,
	.state_size = sizeof(struct block_probe),
	.holds = holds,
	.size = size,
	.open = open_state,
	.attach = attach,
	.tidy = tidy,
	.free_slots = free_cells,
	.close = close_state,
};
