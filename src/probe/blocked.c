/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probe of blocked time. It has no programs of its own: those of sched see both ends, and call
 * bpf/blocked.bpf.c, which counts.
 */
#include "probe/descriptor.h"
#include "probe/internal.h"
#include "util/array.h"
#include "util/log.h"

#include "bramble.skel.h"

static const char *const losses[BLOCKED_LOST_REASONS] = {
	[BLOCKED_LOST_NO_WAKEUP] = "no_wakeup",
	[BLOCKED_LOST_NO_SWITCH] = "no_switch",
	[BLOCKED_LOST_COLLISION] = "collision",
	[BLOCKED_LOST_CLOCK] = "clock",
};

static int size(struct probe *probe)
{
	probe->bpf->rodata->blocked_on = true;
	return 0;
}

/* The programs of sched are attached before, if they are there. */
static int attach(struct probe *probe)
{
	probe->up[PROBE_BLOCKED] = probe->up[PROBE_SCHED];
	if (!probe->up[PROBE_BLOCKED])
		log_info("blocked time is not measured: that takes the probe sched");
	return 0;
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
	.cells = {PROBE_CELLS(blocked_cell)},
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.size = size,
	.attach = attach,
};
