/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/families.h"

#include <string.h>

#include "metrics/emit.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *const switch_kinds[SWITCH_KINDS] = {
	[SWITCH_VOLUNTARY] = "voluntary",
	[SWITCH_INVOLUNTARY] = "involuntary",
};

const char *const cell_label_names[PROBES][CELL_LABELS_MAX] = {{NULL}};

/* clang-format off */
const struct family families[FAMILIES] = {
	[FAMILY_CPU_WAIT] = {
		.name = "bramble_cpu_wait_seconds",
		.help = "Time tasks were ready to run and waited for a CPU.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		.probe = PROBE_SCHED, .cell_offset = offsetof(struct sched_cell, wait),
	},
	[FAMILY_CPU_SWITCHES] = {
		.name = "bramble_cpu_context_switches_total",
		.help = "Times a task left its CPU: voluntary when it blocked, involuntary when it "
			"was preempted or yielded.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		.label = "kind", .values = switch_kinds, .value_count = COUNT_OF(switch_kinds),
		.probe = PROBE_SCHED, .cell_offset = offsetof(struct sched_cell, switches),
	},
	[FAMILY_CPU_WAIT_CAUSED] = {
		.name = "bramble_cpu_wait_caused_seconds_total",
		.help = "Waits of at least 1 ms for a CPU, by whose task ran on that CPU just before.",
		.kind = KIND_COUNTER, .scope = SCOPE_PAIR, .seconds = true, .probe = PROBE_SCHED,
		.emit = emit_causes,
	},
	[FAMILY_PROBE_UP] = {
		.name = "bramble_probe_up",
		.help = "Whether the probe is loaded and attached.",
		.kind = KIND_GAUGE, .scope = SCOPE_PROBE,
		.emit = emit_probe_up,
	},
	[FAMILY_PROBE_ATTRIBUTION] = {
		.name = "bramble_probe_attribution_info",
		.help = "How the probe finds the cgroup that a sample belongs to.",
		.kind = KIND_GAUGE, .scope = SCOPE_PROBE, .label = "mode",
		.emit = emit_probe_attribution,
	},
	[FAMILY_PROBE_EVENTS] = {
		.name = "bramble_probe_events_total",
		.help = "Kernel events the probe saw: context switches (sched), cgroups made or "
			"removed (cgroup).",
		.kind = KIND_COUNTER, .scope = SCOPE_PROBE,
		.emit = emit_probe_events,
	},
	[FAMILY_PROBE_LOST] = {
		.name = "bramble_probe_lost_total",
		.help = "Samples that could not be counted, or not for the one they belong to.",
		.kind = KIND_COUNTER, .scope = SCOPE_PROBE, .label = "reason",
		.emit = emit_probe_lost,
	},
	[FAMILY_PROBE_CPU] = {
		.name = "bramble_probe_cpu_seconds_total",
		.help = "CPU time of the probe's BPF programs, while kernel.bpf_stats_enabled is 1.",
		.kind = KIND_COUNTER, .scope = SCOPE_PROBE, .seconds = true,
		.emit = emit_probe_cpu,
	},
	[FAMILY_SLOTS] = {
		.name = "bramble_slots",
		.help = "Places for cgroups in the kernel's arrays.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF, .label = "state",
		.emit = emit_slots,
	},
	[FAMILY_CONTAINERS] = {
		.name = "bramble_containers",
		.help = "Containers that have series of their own, and those beyond "
			"--metrics.max-containers, which are summed as container=other.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF, .label = "series",
		.emit = emit_containers,
	},
	[FAMILY_SCRAPE] = {
		.name = "bramble_scrape_seconds",
		.help = "Time spent on earlier scrapes, from the request to the finished text.",
		.kind = KIND_SUMMARY, .scope = SCOPE_SELF, .seconds = true,
		.emit = emit_scrape_times,
	},
	[FAMILY_BUILD_INFO] = {
		.name = "bramble_build_info",
		.help = "A constant 1, labelled with the version and what it was built from.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF, .label = "version, revision",
		.emit = emit_build_info,
	},
	[FAMILY_PROCESS_CPU] = {
		.name = "process_cpu_seconds_total",
		.help = "User and system CPU time of this program.",
		.kind = KIND_COUNTER, .scope = SCOPE_SELF, .seconds = true,
		.emit = emit_process,
	},
	[FAMILY_PROCESS_RESIDENT] = {
		.name = "process_resident_memory_bytes",
		.help = "Resident memory of this program.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF,
		.emit = emit_process,
	},
	[FAMILY_PROCESS_VIRTUAL] = {
		.name = "process_virtual_memory_bytes",
		.help = "Virtual memory of this program.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF,
		.emit = emit_process,
	},
	[FAMILY_PROCESS_OPEN_FDS] = {
		.name = "process_open_fds",
		.help = "Open file descriptors of this program.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF,
		.emit = emit_process,
	},
	[FAMILY_PROCESS_MAX_FDS] = {
		.name = "process_max_fds",
		.help = "How many file descriptors this program may open.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF,
		.emit = emit_process,
	},
	[FAMILY_PROCESS_START] = {
		.name = "process_start_time_seconds",
		.help = "When this program was started, as Unix time.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF, .seconds = true,
		.emit = emit_process,
	},
};
/* clang-format on */

bool family_in_cells(const struct family *family)
{
	return !family->emit;
}

size_t family_value_count(const struct family *family)
{
	return family->value_count ? family->value_count : 1;
}

bool cell_labels_equal(const struct cell_labels *a, const struct cell_labels *b)
{
	return a->value[0] == b->value[0] && a->value[1] == b->value[1];
}

static bool ends_with(const char *name, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	return len > word_len && name[len - word_len - 1] == '_' &&
	       memcmp(name + len - word_len, word, word_len) == 0;
}

const char *family_unit(const struct family *family)
{
	static const char *const units[] = {"seconds", "bytes", "ratio",
					    "celsius", "hertz", "volts"};
	size_t i, len = strlen(family->name);

	if (ends_with(family->name, len, "total"))
		len -= strlen("_total");
	for (i = 0; i < COUNT_OF(units); i++)
		if (ends_with(family->name, len, units[i]))
			return units[i];
	return NULL;
}

const char *family_kind_name(enum family_kind kind)
{
	static const char *const names[] = {
		[KIND_COUNTER] = "counter",
		[KIND_GAUGE] = "gauge",
		[KIND_HISTOGRAM] = "histogram",
		[KIND_SUMMARY] = "summary",
	};

	return names[kind];
}
