/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The memory probe: stalls for want of memory, and OOM kills. */
#include "probe/descriptor.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/stalls.h"
#include "probe/victims.h"
#include "util/array.h"
#include "util/clock.h"

#include "bramble.skel.h"

struct memory_probe {
	struct victims victims;
};

#define DIRECT	     "stalls for want of memory"
#define MEMCG	     "stalls of containers at their limit"
#define REMEDY	     "use a kernel with CONFIG_TRACEPOINTS"
#define REMEDY_MEMCG "use a kernel with CONFIG_MEMCG"

static const struct program_row programs[] = {
	{"memory_direct_begin", .event = "vmscan/mm_vmscan_direct_reclaim_begin", .purpose = DIRECT,
	 .remedy = REMEDY},
	{"memory_direct_end", .event = "vmscan/mm_vmscan_direct_reclaim_end", .purpose = DIRECT,
	 .remedy = REMEDY},
	{"memory_memcg_begin", .event = "vmscan/mm_vmscan_memcg_reclaim_begin", .optional = true,
	 .purpose = MEMCG, .remedy = REMEDY_MEMCG},
	{"memory_memcg_end", .event = "vmscan/mm_vmscan_memcg_reclaim_end", .optional = true,
	 .purpose = MEMCG, .remedy = REMEDY_MEMCG},
	{"memory_exit", .event = "sched/sched_process_exit",
	 .purpose = "the container of an OOM kill's victim", .remedy = REMEDY},
	{"memory_mark", .event = "oom/mark_victim", .purpose = "OOM kills", .remedy = REMEDY},
	{"memory_signal", .event = "signal/signal_generate", .purpose = "OOM kills",
	 .remedy = REMEDY},
};

/* One more than the BPF side counts. */
#define LOST_VICTIM STALL_LOST_REASONS

static const char *const losses[STALL_LOST_REASONS + 1] = {
	[STALL_LOST_NO_BEGINNING] = "no_beginning",
	[STALL_LOST_CLOCK] = "clock",
	[LOST_VICTIM] = "victim_forgotten",
};

static struct memory_probe *state_of(const struct probe *probe)
{
	return probe->state[PROBE_MEMORY];
}

static int size(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err = bpf_map__set_max_entries(bpf->maps.last_kills, probe->cpus);

	err = err ?: probe_size_lru(bpf->maps.killed_tasks, KILLED_MAX, probe->cpus);
	return err ?: probe_size_lru(bpf->maps.counted_processes, KILLED_MAX, probe->cpus);
}

static int open_state(struct probe *probe)
{
	const struct bpf_map *map = probe->bpf->maps.killed_tasks;

	state_of(probe)->victims = (struct victims){
		.map_fd = bpf_map__fd(map),
		.map_size = bpf_map__max_entries(map),
		.running = (uint64_t *)&probe->bpf->bss->killed_running,
		.total = (uint64_t *)&probe->bpf->bss->killed_total,
	};
	return 0;
}

static int tidy(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	uint64_t now_ns = clock_monotonic_ns();
	int err;

	if (!probe->up[PROBE_MEMORY])
		return 0;
	err = stalls_tidy(bpf->maps.memory_stalls, &bpf->bss->memory_counts, now_ns);
	return victims_tidy(&state_of(probe)->victims, now_ns) ?: err;
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	if (loss == LOST_VICTIM)
		return probe->bpf->bss->memory_victims_lost + state_of(probe)->victims.forgotten;
	return probe->bpf->bss->memory_lost[loss];
}

static uint64_t events(const struct probe *probe)
{
	return probe->bpf->bss->memory_events;
}

const struct probe_descriptor probe_memory = {
	.flag_help = "Measure stalls for want of memory, and count OOM kills.",
	.flag_rank = 4,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(memory_cell)},
	.maps = {"killed_tasks", "memory_stalls"},
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.state_size = sizeof(struct memory_probe),
	.size = size,
	.open = open_state,
	.tidy = tidy,
};
