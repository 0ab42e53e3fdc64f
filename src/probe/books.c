/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/books.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "probe/descriptors.h"
#include "probe/internal.h"

/* What the kernel counts for the attached programs of a probe, added up. */
struct program_counts {
	/* Runs it skipped because the program was running on that CPU already (since 5.12). */
	uint64_t recursion_misses;
	uint64_t run_time_ns;
};

static void count_program(int fd, struct program_counts *counts)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return;
	counts->recursion_misses += info.recursion_misses;
	counts->run_time_ns += info.run_time_ns;
}

static struct program_counts count_programs(const struct probe *probe, enum probe_id id)
{
	struct program_counts counts = {0};
	size_t i;

	for (i = 0; i < probe->programs; i++)
		if (probe->program[i].probe == id && probe->program[i].link_fd >= 0)
			count_program(bpf_program__fd(probe->program[i].program), &counts);
	for (i = 0; i < probe->kept_count; i++)
		if (probe->kept[i].probe == id)
			count_program(probe->kept[i].fd, &counts);
	return counts;
}

size_t probe_read_lost(const struct probe *probe, struct probe_lost lost[PROBE_LOST_MAX])
{
	enum probe_id id;
	size_t i, n = 0;

	for (id = 0; id < PROBES; id++) {
		const struct probe_descriptor *descriptor = probe_descriptors[id];

		for (i = 0; probe->enabled[id] && i < descriptor->loss_count; i++)
			lost[n++] = (struct probe_lost){id, descriptor->losses[i],
							descriptor->lost(probe, i)};
	}
	for (id = 0; id < PROBES; id++)
		if (probe->up[id])
			lost[n++] = (struct probe_lost){id, "recursion",
							count_programs(probe, id).recursion_misses};
	return n;
}

uint64_t probe_events(const struct probe *probe, enum probe_id id)
{
	return probe->enabled[id] ? probe_descriptors[id]->events(probe) : 0;
}

int probe_cpu_ns(const struct probe *probe, enum probe_id id, uint64_t *ns)
{
	*ns = count_programs(probe, id).run_time_ns;
	return *ns ? 0 : -ENODATA;
}
