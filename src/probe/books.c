/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The probe's own books: events seen, samples lost, CPU time taken. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "probe/internal.h"

#include "bramble.skel.h"

static int program_info(const struct probe_program *program, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(bpf_program__fd(program->program), info, &len) ? -errno : 0;
}

/* Runs the kernel skipped because the program was running on that CPU already (since 5.12). */
static uint64_t recursion_misses(const struct probe *probe, enum probe_id id)
{
	struct bpf_prog_info info;
	uint64_t misses = 0;
	size_t i;

	for (i = 0; i < probe->programs; i++)
		if (probe->program[i].probe == id && probe->program[i].link &&
		    !program_info(&probe->program[i], &info))
			misses += info.recursion_misses;
	return misses;
}

static uint64_t sched_lost(const struct probe *probe, enum sched_lost reason)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		sum += probe->sched_cpus[cpu].lost[reason];
	return sum;
}

/* What fsync and memory lose. */
static size_t read_stalls_lost(enum probe_id id, const __u64 *counts, struct probe_lost *lost)
{
	static const char *const reasons[STALL_LOST_REASONS] = {
		[STALL_LOST_NO_BEGINNING] = "no_beginning",
		[STALL_LOST_CLOCK] = "clock",
	};
	size_t i;

	for (i = 0; i < STALL_LOST_REASONS; i++)
		lost[i] = (struct probe_lost){id, reasons[i], counts[i]};
	return STALL_LOST_REASONS;
}

uint64_t probe_cgroup_events_lost(const struct probe *probe)
{
	return probe->bpf->bss->cgroup_lost[CGROUP_LOST_RING_FULL];
}

size_t probe_read_lost(const struct probe *probe, struct probe_lost lost[PROBE_LOST_MAX])
{
	static const char *const sched_reasons[SCHED_LOST_REASONS] = {
		[SCHED_LOST_NO_WAKEUP] = "no_wakeup",
		[SCHED_LOST_NO_SWITCH] = "no_switch",
		[SCHED_LOST_COLLISION] = "collision",
		[SCHED_LOST_CLOCK] = "clock",
	};
	static const char *const cgroup_reasons[CGROUP_LOST_REASONS] = {
		[CGROUP_LOST_RING_FULL] = "ring_full",
		[CGROUP_LOST_NO_SLOT] = "no_slot",
	};
	static const char *const tcp_reasons[TCP_LOST_REASONS] = {
		[TCP_LOST_NO_PLACE] = "no_place",     [TCP_LOST_NO_OWNER] = "no_owner",
		[TCP_LOST_CLOCK] = "clock",	      [TCP_LOST_LONG_SEND] = "long_send",
		[TCP_LOST_OVERTAKEN] = "overtaken",   [TCP_LOST_STREAM] = "stream",
		[TCP_LOST_UNANSWERED] = "unanswered",
	};
	static const char *const block_reasons[BLOCK_LOST_REASONS] = {
		[BLOCK_LOST_NO_ISSUE] = "no_issue",
		[BLOCK_LOST_NO_COMPLETE] = "no_complete",
		[BLOCK_LOST_UNPAIRED] = "unpaired",
		[BLOCK_LOST_REQUESTS_FULL] = "requests_full",
		[BLOCK_LOST_CELLS_FULL] = "cells_full",
		[BLOCK_LOST_CLOCK] = "clock",
	};
	size_t i, n = 0;

	for (i = 0; probe->enabled[PROBE_SCHED] && i < SCHED_LOST_REASONS; i++)
		lost[n++] = (struct probe_lost){PROBE_SCHED, sched_reasons[i],
						sched_lost(probe, (enum sched_lost)i)};
	if (probe->enabled[PROBE_FSYNC])
		n += read_stalls_lost(PROBE_FSYNC, probe->bpf->bss->fsync_lost, lost + n);
	if (probe->enabled[PROBE_MEMORY]) {
		n += read_stalls_lost(PROBE_MEMORY, probe->bpf->bss->memory_lost, lost + n);
		lost[n++] = (struct probe_lost){PROBE_MEMORY, "victim_forgotten",
						probe_victims_lost(probe)};
	}
	for (i = 0; probe->enabled[PROBE_TCP] && i < TCP_LOST_REASONS; i++)
		lost[n++] = (struct probe_lost){PROBE_TCP, tcp_reasons[i],
						probe->bpf->bss->tcp_lost[i]};
	for (i = 0; probe->enabled[PROBE_BLOCK] && i < BLOCK_LOST_REASONS; i++)
		lost[n++] = (struct probe_lost){PROBE_BLOCK, block_reasons[i],
						probe_block_lost(probe, (enum block_lost)i)};
	for (i = 0; i < CGROUP_LOST_REASONS; i++)
		lost[n++] = (struct probe_lost){PROBE_CGROUP, cgroup_reasons[i],
						probe->bpf->bss->cgroup_lost[i]};
	for (i = 0; i < PROBES; i++)
		if (probe->up[i])
			lost[n++] = (struct probe_lost){(enum probe_id)i, "recursion",
							recursion_misses(probe, (enum probe_id)i)};
	return n;
}

static uint64_t sched_events(const struct probe *probe)
{
	uint64_t events = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		events += probe->sched_cpus[cpu].events;
	return events;
}

static uint64_t tcp_events(const struct probe *probe)
{
	uint64_t events = 0;
	unsigned int cpu, i;

	for (cpu = 0; probe->tcp_cpus && cpu < probe->cpus; cpu++)
		for (i = 0; i < TCP_EVENTS; i++)
			events += probe->tcp_cpus[cpu].events[i];
	return events;
}

uint64_t probe_events(const struct probe *probe, enum probe_id id)
{
	switch (id) {
	case PROBE_SCHED:
		return sched_events(probe);
	case PROBE_TCP:
		return tcp_events(probe);
	case PROBE_BLOCK:
		return probe_block_events(probe);
	case PROBE_FSYNC:
		return probe->bpf->bss->fsync_events;
	case PROBE_MEMORY:
		return probe->bpf->bss->memory_events;
	default:
		return probe->cgroup_events;
	}
}

int probe_cpu_ns(const struct probe *probe, enum probe_id id, uint64_t *ns)
{
	struct bpf_prog_info info;
	size_t i;

	*ns = 0;
	for (i = 0; i < probe->programs; i++)
		if (probe->program[i].probe == id && probe->program[i].link &&
		    !program_info(&probe->program[i], &info))
			*ns += info.run_time_ns;
	return *ns ? 0 : -ENODATA;
}
