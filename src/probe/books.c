/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/books.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "probe/descriptors.h"
#include "probe/internal.h"

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
			lost[n++] =
				(struct probe_lost){id, "recursion", recursion_misses(probe, id)};
	return n;
}

uint64_t probe_events(const struct probe *probe, enum probe_id id)
{
	return probe->enabled[id] ? probe_descriptors[id]->events(probe) : 0;
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
