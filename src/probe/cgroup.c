/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cgroup probe, which is always on. It reports cgroups that are made and removed. Its cells are
 * those of stalls, which any probe may see.
 */
#include "probe/cgroup.h"

#include <errno.h>

#include "probe/descriptor.h"
#include "probe/internal.h"
#include "util/array.h"

#include "bramble.skel.h"

struct cgroup_probe {
	struct ring_buffer *ring;
	uint64_t events;
	size_t size; /* of the ring, in bytes */
	size_t left; /* how much of it the running probe_poll() still reads */

	/* The callback for the events of the running probe_poll(). */
	probe_cgroup_fn each;
	void *context;
};

#define REMEDY "use a kernel with CONFIG_CGROUPS and CONFIG_TRACEPOINTS"

static const struct program_row programs[] = {
	{"cgroup_mkdir", .event = "cgroup/cgroup_mkdir",
	 .purpose = "names of short-lived containers", .remedy = REMEDY},
	{"cgroup_rmdir", .event = "cgroup/cgroup_rmdir",
	 .purpose = "reusing the slots of containers", .remedy = REMEDY},
};

/* The records that the programs read. */
static const struct tracefs_record records[] = {
	{"cgroup/cgroup_mkdir", "trace_event_raw_cgroup"},
};

static const struct cell_private privates[] = {
	{"memory", "pressure", false},
	{"io", "pressure", false},
};

static const char *const losses[CGROUP_LOST_REASONS] = {
	[CGROUP_LOST_RING_FULL] = "ring_full",
	[CGROUP_LOST_NO_SLOT] = "no_slot",
	[CGROUP_LOST_QUOTA] = "slot_quota",
};

static struct cgroup_probe *state_of(const struct probe *probe)
{
	return probe->state[PROBE_CGROUP];
}

static int size(struct probe *probe)
{
	probe->bpf->rodata->pressure_slots = probe->slots;
	return 0;
}

/* Ends a reading after as much as the ring holds: what comes meanwhile may never end. */
static int on_event(void *context, void *data, size_t len)
{
	struct cgroup_probe *state = context;
	size_t all = len + BPF_RINGBUF_HDR_SZ;

	if (len >= offsetof(struct cgroup_event, path)) {
		state->events++;
		if (state->each)
			state->each(state->context, data);
	}
	state->left -= all < state->left ? all : state->left;
	return state->left ? 0 : -EAGAIN;
}

static int open_state(struct probe *probe)
{
	struct cgroup_probe *state = state_of(probe);

	state->size = bpf_map__max_entries(probe->bpf->maps.cgroup_events);
	state->ring = ring_buffer__new(bpf_map__fd(probe->bpf->maps.cgroup_events), on_event, state,
				       NULL);
	return state->ring ? 0 : -errno;
}

static void close_state(struct probe *probe)
{
	ring_buffer__free(state_of(probe)->ring);
}

int probe_event_fd(const struct probe *probe)
{
	return bpf_map__fd(probe->bpf->maps.cgroup_events);
}

int probe_poll(struct probe *probe, probe_cgroup_fn each, void *context)
{
	struct cgroup_probe *state = state_of(probe);
	int got;

	state->each = each;
	state->context = context;
	state->left = state->size;
	got = ring_buffer__consume(state->ring);
	state->each = NULL;
	if (!state->left)
		return 1;
	return got < 0 ? got : 0;
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	return probe->bpf->bss->cgroup_lost[loss];
}

uint64_t probe_cgroup_events_lost(const struct probe *probe)
{
	return lost(probe, CGROUP_LOST_RING_FULL);
}

static uint64_t events(const struct probe *probe)
{
	return state_of(probe)->events;
}

static const char *attribution(const struct probe *probe)
{
	(void)probe;
	return "event";
}

static void add_pressure(const volatile void *data, struct probe_pressure *pressure)
{
	const volatile struct stall_cell *cell = data;

	pressure->some_ns[PRESSURE_MEMORY] += cell->memory.time.covered_ns;
	pressure->some_ns[PRESSURE_IO] += cell->io.time.covered_ns;
}

const struct probe_descriptor probe_cgroup = {
	.essential = true,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(stall_cell), .per_cpu = true, .privates = privates,
		  .private_count = ARRAY_SIZE(privates)},
	.maps = {"cgroup_events"},
	.records = records,
	.record_count = ARRAY_SIZE(records),
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.attribution = attribution,
	.state_size = sizeof(struct cgroup_probe),
	.size = size,
	.open = open_state,
	.add_pressure = add_pressure,
	.close = close_state,
};
