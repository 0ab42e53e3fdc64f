/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probe of blocked time. The programs of sched see both ends, and call bpf/blocked.bpf.c, which
 * counts. Its own programs see some of the causes.
 */
#include "probe/descriptor.h"
#include "probe/internal.h"
#include "probe/programs.h"
#include "probe/times.h"
#include "util/array.h"
#include "util/log.h"

#include "bramble.skel.h"

enum need {
	NEED_NO_TYPES = 1 << 0, /* the kernel's types are not known */
};

static const struct program_row programs[] = {
	{"blocked_dirty", .event = "writeback/balance_dirty_pages", .optional = true,
	 .purpose = "pauses of tasks that write faster than the disk",
	 .remedy = "use a kernel with CONFIG_TRACEPOINTS"},
	{"blocked_bio", .event = "block/block_bio_queue", .needs = NEED_NO_TYPES, .optional = true,
	 .purpose = "which blocked tasks wait for a disk",
	 .remedy = "use a kernel with CONFIG_BLOCK and CONFIG_TRACEPOINTS"},
};

/* The records that the programs read. */
static const struct tracefs_record records[] = {
	{"writeback/balance_dirty_pages", "trace_event_raw_balance_dirty_pages"},
	{"block/block_bio_queue", "trace_event_raw_block_bio"},
};

static const struct cell_private privates[] = {
	{"cause_ns", "task seconds: times.h", false},
};

static const char *const losses[BLOCKED_LOST_REASONS] = {
	[BLOCKED_LOST_NO_WAKEUP] = "no_wakeup",
	[BLOCKED_LOST_NO_SWITCH] = "no_switch",
	[BLOCKED_LOST_COLLISION] = "collision",
	[BLOCKED_LOST_CLOCK] = "clock",
};

static unsigned int holds(struct probe *probe, const struct probe_options *options)
{
	(void)options;
	return probe->btf ? 0 : NEED_NO_TYPES;
}

static int size(struct probe *probe)
{
	probe->bpf->rodata->blocked_on = true;
	return 0;
}

/* The programs of sched are attached before, if they are there. */
static int attach(struct probe *probe)
{
	probe->up[PROBE_BLOCKED] = probe->up[PROBE_SCHED];
	if (probe->up[PROBE_BLOCKED])
		return probe_attach_some(probe, PROBE_BLOCKED, "");
	log_info("blocked time is not measured: that takes the probe sched");
	return 0;
}

static bool add_times(const volatile void *data, struct probe_times *times)
{
	const volatile struct blocked_cell *cell = data;
	int cause;

	for (cause = 0; cause < BLOCKED_CAUSES; cause++)
		times->ns[TIME_BLOCKED + cause] += cell->cause_ns[cause];
	return true;
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	return probe->bpf->bss->blocked_lost[loss];
}

static uint64_t events(const struct probe *probe)
{
	return probe->bpf->bss->blocked_events;
}

const struct probe_descriptor probe_blocked = {
	.flag_help = "Measure how long tasks are blocked, in uninterruptible sleep.",
	.flag_rank = 6,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(blocked_cell), .privates = privates,
		  .private_count = ARRAY_SIZE(privates)},
	.records = records,
	.record_count = ARRAY_SIZE(records),
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.holds = holds,
	.size = size,
	.attach = attach,
	.add_times = add_times,
};
