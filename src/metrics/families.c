/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/families.h"

#include <stdio.h>
#include <string.h>

#include "cgroup/files.h"
#include "metrics/emit.h"
#include "util/array.h"

static const char *const switch_kinds[SWITCH_KINDS] = {
	[SWITCH_VOLUNTARY] = "voluntary",
	[SWITCH_INVOLUNTARY] = "involuntary",
};

/* In the order of enum cgroup_value. */
static const char *const memory_events[] = {"high", "max", "oom", "oom_kill"};

static const char *const connect_failures[TCP_CONNECT_FAILURES] = {
	[TCP_CONNECT_REFUSED] = "refused",
	[TCP_CONNECT_TIMEOUT] = "timeout",
	[TCP_CONNECT_OTHER] = "other",
};

static const char *const tcp_directions[TCP_DIRECTIONS] = {
	[TCP_SENT] = "sent",
	[TCP_RECEIVED] = "received",
};

static const char *const tcp_roles[TCP_ROLES] = {
	[TCP_SERVER] = "server",
	[TCP_CLIENT] = "client",
};

const char *const cell_label_names[PROBES][CELL_LABELS_MAX] = {
	[PROBE_BLOCK] = {"device", "op"},
};

/* Where the values of a family about owners are. */
#define IN(from, at) .emit = emit_owners, .source = (from), .offset = (at)
#define IN_CELL(id, cell, field)                                                                   \
	IN(SOURCE_OF_PROBE(id), offsetof(struct cell, field)), .probe = (id)
#define IN_PRESSURE(id, which) IN(SOURCE_PRESSURE, (which) * sizeof(uint64_t)), .probe = (id)
#define IN_CAUSED(id)	       IN(SOURCE_CAUSED, 0), .probe = (id)
#define IN_FILES(which)	       IN(SOURCE_FILES, offsetof(struct cgroup_values, value[which]))

/* clang-format off */
const struct family families[FAMILIES] = {
	[FAMILY_CPU_WAIT] = {
		.name = "bramble_cpu_wait_seconds",
		.help = "Time tasks were ready to run and waited for a CPU.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_SCHED, sched_cell, wait),
	},
	[FAMILY_CPU_SWITCHES] = {
		.name = "bramble_cpu_context_switches_total",
		.help = "Times a task left its CPU: voluntary when it blocked, involuntary when it "
			"was preempted or yielded.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		.label = "kind", .values = switch_kinds, .value_count = ARRAY_SIZE(switch_kinds),
		IN_CELL(PROBE_SCHED, sched_cell, switches),
	},
	[FAMILY_CPU_WAIT_CAUSED] = {
		.name = "bramble_cpu_wait_caused_seconds_total",
		.help = "Waits of at least 1 ms for a CPU, by whose task ran on that CPU just before.",
		.kind = KIND_COUNTER, .scope = SCOPE_PAIR, .seconds = true,
		IN_CAUSED(PROBE_SCHED),
	},
	[FAMILY_CPU_WAIT_SOME] = {
		.name = "bramble_cpu_wait_some_seconds_total",
		.help = "Time in which at least one task waited for a CPU, by this program's own "
			"measure: what the kernel's PSI calls some, also where PSI is off.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		IN_PRESSURE(PROBE_SCHED, PRESSURE_CPU),
	},
	[FAMILY_MEMORY_STALL_SOME] = {
		.name = "bramble_memory_stall_some_seconds_total",
		.help = "Time in which at least one task reclaimed memory itself, by this program's "
			"own measure: some of what the kernel's PSI counts as memory pressure.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		IN_PRESSURE(PROBE_MEMORY, PRESSURE_MEMORY),
	},
	[FAMILY_IO_STALL_SOME] = {
		.name = "bramble_io_stall_some_seconds_total",
		.help = "Time in which at least one fsync, read, or write to be done at once was "
			"under way, by this program's own measure: about what the kernel's PSI "
			"counts as I/O pressure.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		IN_PRESSURE(PROBE_FSYNC, PRESSURE_IO),
	},
	[FAMILY_FSYNC] = {
		.name = "bramble_fsync_seconds",
		.help = "Time the file system took to bring a file to the disk: fsync, fdatasync, "
			"msync, writes with O_SYNC or O_DSYNC.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_FSYNC, fsync_cell, fsync),
	},
	[FAMILY_MEMORY_STALL] = {
		.name = "bramble_memory_stall_seconds",
		.help = "Time tasks had to reclaim memory themselves before they got some: the "
			"machine had too little (direct reclaim), or their cgroup was at its limit.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_MEMORY, memory_cell, stall),
	},
	[FAMILY_MEMORY_OOM_KILLS] = {
		.name = "bramble_memory_oom_kills_total",
		.help = "Processes that the kernel killed for want of memory, by where they were.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_MEMORY, memory_cell, oom_kills),
	},
	[FAMILY_BLOCK_IO] = {
		.name = "bramble_block_io_seconds",
		.help = "Time requests were at the block device, from issue to completion.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_BLOCK, block_cell, io),
	},
	[FAMILY_BLOCK_QUEUE] = {
		.name = "bramble_block_queue_seconds",
		.help = "Time requests waited before they were issued to the block device.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_BLOCK, block_cell, queue),
	},
	[FAMILY_BLOCK_BYTES] = {
		.name = "bramble_block_bytes_total",
		.help = "Bytes read from, written to or discarded on the block device.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_BLOCK, block_cell, bytes),
	},
	[FAMILY_BLOCK_ERRORS] = {
		.name = "bramble_block_errors_total",
		.help = "Requests that the block device failed, in whole or in part.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_BLOCK, block_cell, errors),
	},
	[FAMILY_CPU_USAGE] = {
		.name = "bramble_cpu_usage_seconds_total",
		.help = "CPU time used, as the kernel counts it in cpu.stat.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		IN_FILES(CGROUP_CPU_USAGE),
	},
	[FAMILY_CPU_THROTTLED] = {
		.name = "bramble_cpu_throttled_seconds_total",
		.help = "Time stopped by the CPU limit, summed over the CPUs that were stopped.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		IN_FILES(CGROUP_CPU_THROTTLED),
	},
	[FAMILY_CPU_THROTTLED_PERIODS] = {
		.name = "bramble_cpu_throttled_periods_total",
		.help = "Periods of the CPU limit, mostly of 100 ms, in which it stopped a task.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_FILES(CGROUP_CPU_THROTTLED_PERIODS),
	},
	[FAMILY_CPU_PERIODS] = {
		.name = "bramble_cpu_periods_total",
		.help = "Periods of the CPU limit in which a task was ready to run.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, IN_FILES(CGROUP_CPU_PERIODS),
	},
	[FAMILY_PRESSURE] = {
		.name = "bramble_pressure_seconds_total",
		.help = "The kernel's PSI, where it is on: time in which at least one task (some) or "
			"all tasks (full) waited for a resource.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER, .seconds = true,
		.label = "resource", .values = pressure_resources, .value_count = PRESSURE_RESOURCES,
		.inner_label = "kind", .inner_values = pressure_kinds, .inner_count = PRESSURE_KINDS,
		IN_FILES(CGROUP_PRESSURE),
	},
	[FAMILY_MEMORY_WORKING_SET] = {
		.name = "bramble_memory_working_set_bytes",
		.help = "Memory in use without file pages not used lately, by which the kubelet evicts.",
		.kind = KIND_GAUGE, .scope = SCOPE_OWNER, IN_FILES(CGROUP_MEMORY_WORKING_SET),
	},
	[FAMILY_MEMORY_LIMIT] = {
		.name = "bramble_memory_limit_bytes",
		.help = "The memory limit, where there is one.",
		.kind = KIND_GAUGE, .scope = SCOPE_OWNER, IN_FILES(CGROUP_MEMORY_LIMIT),
	},
	[FAMILY_MEMORY_EVENTS] = {
		.name = "bramble_memory_events_total",
		.help = "How often memory.high was exceeded (high), the limit was hit (max), memory "
			"could not be had (oom), and a process was killed for it (oom_kill).",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		.label = "event", .values = memory_events, .value_count = ARRAY_SIZE(memory_events),
		IN_FILES(CGROUP_MEMORY_EVENTS_HIGH),
	},
	[FAMILY_NODE_LOAD1] = {
		.name = "bramble_node_load1",
		.help = "Tasks that ran, were ready to, or waited in the kernel: mean of 1 minute.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE, .real = true,
		.emit = emit_node, .node = NODE_LOAD1,
	},
	[FAMILY_NODE_LOAD5] = {
		.name = "bramble_node_load5",
		.help = "The same of 5 minutes.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE, .real = true,
		.emit = emit_node, .node = NODE_LOAD5,
	},
	[FAMILY_NODE_LOAD15] = {
		.name = "bramble_node_load15",
		.help = "The same of 15 minutes.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE, .real = true,
		.emit = emit_node, .node = NODE_LOAD15,
	},
	[FAMILY_NODE_MEMORY_TOTAL] = {
		.name = "bramble_node_memory_total_bytes",
		.help = "Memory of the machine that the kernel can use.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_MEMORY_TOTAL,
	},
	[FAMILY_NODE_MEMORY_AVAILABLE] = {
		.name = "bramble_node_memory_available_bytes",
		.help = "Memory that programs can still have without swapping.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_MEMORY_AVAILABLE,
	},
	[FAMILY_NODE_SWAP_TOTAL] = {
		.name = "bramble_node_swap_total_bytes",
		.help = "Swap space.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_SWAP_TOTAL,
	},
	[FAMILY_NODE_SWAP_FREE] = {
		.name = "bramble_node_swap_free_bytes",
		.help = "Swap space that is not in use.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_SWAP_FREE,
	},
	[FAMILY_NODE_FILESYSTEM_SIZE] = {
		.name = "bramble_node_filesystem_size_bytes",
		.help = "Size of the root file system, and of those with the directories of the kubelet, the runtime and the logs.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FILESYSTEM_SIZE,
	},
	[FAMILY_NODE_FILESYSTEM_AVAILABLE] = {
		.name = "bramble_node_filesystem_available_bytes",
		.help = "Space in it that users other than root can have.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FILESYSTEM_AVAILABLE,
	},
	[FAMILY_NODE_FILESYSTEM_FILES] = {
		.name = "bramble_node_filesystem_files",
		.help = "Inodes in it, where their number is fixed.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FILESYSTEM_FILES,
	},
	[FAMILY_NODE_FILESYSTEM_FILES_FREE] = {
		.name = "bramble_node_filesystem_files_free",
		.help = "Inodes in it that are free.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FILESYSTEM_FILES_FREE,
	},
	[FAMILY_NODE_FILESYSTEM_READONLY] = {
		.name = "bramble_node_filesystem_readonly",
		.help = "Whether nothing can be written to it, as after an error of an SD card.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FILESYSTEM_READONLY,
	},
	[FAMILY_NODE_TEMPERATURE] = {
		.name = "bramble_node_temperature_celsius",
		.help = "Temperatures of thermal zones and chips. chip and sensor are node_exporter's; "
			"chip_name and label are the driver's words.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE, .real = true,
		.emit = emit_node, .node = NODE_TEMPERATURE,
	},
	[FAMILY_NODE_CPU_FREQUENCY] = {
		.name = "bramble_node_cpu_frequency_hertz",
		.help = "Frequency the kernel has set for these CPUs; the firmware of a Pi may run them slower.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_CPU_FREQUENCY,
	},
	[FAMILY_NODE_CPU_FREQUENCY_LIMIT] = {
		.name = "bramble_node_cpu_frequency_limit_hertz",
		.help = "Highest frequency the kernel allows now.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_CPU_FREQUENCY_LIMIT,
	},
	[FAMILY_NODE_CPU_FREQUENCY_MAX] = {
		.name = "bramble_node_cpu_frequency_max_hertz",
		.help = "Highest frequency the hardware can have.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_CPU_FREQUENCY_MAX,
	},
	[FAMILY_NODE_THROTTLED] = {
		.name = "bramble_node_throttled",
		.help = "Whether the machine is slowed down: under_voltage and temperature (at the limit of its firmware) on a Raspberry Pi, frequency_limit where the kernel allows less than the maximum.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_THROTTLED,
	},
	[FAMILY_NODE_INTERRUPT] = {
		.name = "bramble_node_interrupt_seconds_total",
		.help = "CPU time that went to interrupts.",
		.kind = KIND_COUNTER, .scope = SCOPE_NODE, .seconds = true,
		.emit = emit_node, .node = NODE_INTERRUPT,
	},
	[FAMILY_NODE_PRESSURE] = {
		.name = "bramble_node_pressure_seconds_total",
		.help = "The kernel's PSI of the whole machine, where it is on.",
		.kind = KIND_COUNTER, .scope = SCOPE_NODE, .seconds = true,
		.emit = emit_node, .node = NODE_PRESSURE,
	},
	[FAMILY_NODE_FEATURE] = {
		.name = "bramble_node_feature",
		.help = "A constant 1, by what this machine can tell of itself: present, off (it can be turned on) or missing.",
		.kind = KIND_GAUGE, .scope = SCOPE_NODE,
		.emit = emit_node, .node = NODE_FEATURE,
	},
	[FAMILY_POD_INFO] = {
		.name = "bramble_pod_info",
		.help = "A constant 1 for each pod, with what is known of it. Only the kubelet "
			"tells node, workload and labels.",
		.kind = KIND_GAUGE, .scope = SCOPE_POD,
		.label = "uid, node, workload_kind, workload, qos, label_...",
		.emit = emit_pod_info,
	},
	[FAMILY_CONTAINER_INFO] = {
		.name = "bramble_container_info",
		.help = "A constant 1 for each container, with the id of its last start. Only the "
			"kubelet tells the image.",
		.kind = KIND_GAUGE, .scope = SCOPE_CONTAINER, .label = "container_id, image",
		.emit = emit_container_info,
	},
	[FAMILY_TCP_CONNECT] = {
		.name = "bramble_tcp_connect_seconds",
		.help = "Time from the first SYN of a connect to its end, if that was a connection.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_TCP, tcp_cell, connect),
	},
	[FAMILY_TCP_CONNECT_FAILURES] = {
		.name = "bramble_tcp_connect_failures_total",
		.help = "Connects that failed: refused by a reset, without an answer, or otherwise.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		.label = "reason", .values = connect_failures,
		.value_count = ARRAY_SIZE(connect_failures),
		IN_CELL(PROBE_TCP, tcp_cell, connect_failures),
	},
	[FAMILY_TCP_RESPONSE] = {
		.name = "bramble_tcp_response_seconds",
		.help = "Time from a request's first bytes in to the first byte of the answer out "
			"(server), or from the first byte out to the first byte in (client).",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		.label = "role", .values = tcp_roles, .value_count = ARRAY_SIZE(tcp_roles),
		IN_CELL(PROBE_TCP, tcp_cell, response),
	},
	[FAMILY_TCP_RTT] = {
		.name = "bramble_tcp_rtt_seconds",
		.help = "Round-trip time of connections, smoothed by the kernel: when they are made, "
			"and about once a second in use.",
		.kind = KIND_HISTOGRAM, .scope = SCOPE_OWNER, .seconds = true,
		IN_CELL(PROBE_TCP, tcp_cell, rtt),
	},
	[FAMILY_TCP_RETRANSMITS] = {
		.name = "bramble_tcp_retransmits_total",
		.help = "Segments sent again.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, retransmits),
	},
	[FAMILY_TCP_RESETS] = {
		.name = "bramble_tcp_resets_total",
		.help = "Resets: connections that were cut off, and ports nobody listens at.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		.label = "direction", .values = tcp_directions,
		.value_count = ARRAY_SIZE(tcp_directions),
		IN_CELL(PROBE_TCP, tcp_cell, resets),
	},
	[FAMILY_TCP_ACCEPTED] = {
		.name = "bramble_tcp_accepted_total",
		.help = "Connections made by others to its listening sockets.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, accepted),
	},
	[FAMILY_TCP_OVERFLOWS] = {
		.name = "bramble_tcp_accept_queue_overflows_total",
		.help = "Connections that a full accept queue turned away, by network namespace: a "
			"pod's is counted for the pod, the host's for the unit kernel.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, accept_queue_overflows),
	},
	[FAMILY_TCP_OPEN] = {
		.name = "bramble_tcp_open_connections",
		.help = "Established connections, of which neither end was closed here.",
		.kind = KIND_GAUGE, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, open),
	},
	[FAMILY_TCP_SENT] = {
		.name = "bramble_tcp_sent_bytes_total",
		.help = "Bytes given to TCP to send.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, bytes[TCP_SENT]),
	},
	[FAMILY_TCP_RECEIVED] = {
		.name = "bramble_tcp_received_bytes_total",
		.help = "Bytes taken from TCP's receive queues.",
		.kind = KIND_COUNTER, .scope = SCOPE_OWNER,
		IN_CELL(PROBE_TCP, tcp_cell, bytes[TCP_RECEIVED]),
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
		.help = "Kernel events the probe saw: context switches (sched), fsyncs (fsync), "
			"reclaims and OOM kills (memory), sends, receives and arrivals of data "
			"(tcp), requests done (block), cgroups made or removed (cgroup).",
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
	[FAMILY_KUBE_LAST_SUCCESS] = {
		.name = "bramble_kube_last_success_timestamp_seconds",
		.help = "When the kubelet last told its pods, as Unix time.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF, .seconds = true,
		.emit = emit_kube_last_success,
	},
	[FAMILY_KUBE_REQUESTS] = {
		.name = "bramble_kube_requests_total",
		.help = "Requests to the kubelet that ended, well or not.",
		.kind = KIND_COUNTER, .scope = SCOPE_SELF,
		.emit = emit_kube_requests,
	},
	[FAMILY_KUBE_ERRORS] = {
		.name = "bramble_kube_errors_total",
		.help = "Requests to the kubelet that failed, and pods in its lists that could not be "
			"taken.",
		.kind = KIND_COUNTER, .scope = SCOPE_SELF, .label = "reason",
		.emit = emit_kube_errors,
	},
	[FAMILY_KUBE_PODS] = {
		.name = "bramble_kube_pods",
		.help = "Pods that the kubelet lists, or listed a short while ago.",
		.kind = KIND_GAUGE, .scope = SCOPE_SELF,
		.emit = emit_kube_pods,
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
	[FAMILY_WEB_REFUSED] = {
		.name = "bramble_web_refused_total",
		.help = "Clients that were turned away before they could ask: in the TLS handshake, "
			"or as they spoke another protocol.",
		.kind = KIND_COUNTER, .scope = SCOPE_SELF, .label = "reason",
		.emit = emit_web_refused,
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
	return family->source >= SOURCE_CELLS && family->source < SOURCE_OF_PROBE(PROBES);
}

static size_t at_least_one(size_t count)
{
	return count ? count : 1;
}

size_t family_value_count(const struct family *family)
{
	return at_least_one(family->value_count) * at_least_one(family->inner_count);
}

size_t family_labels(const struct family *family, size_t value, struct label *out)
{
	size_t inner_count = at_least_one(family->inner_count);

	if (!family->values)
		return 0;
	out[0] = (struct label){family->label, family->values[value / inner_count]};
	if (!family->inner_values)
		return 1;
	out[1] = (struct label){family->inner_label, family->inner_values[value % inner_count]};
	return 2;
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
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (ends_with(family->name, len, units[i]))
			return units[i];
	return NULL;
}

void family_field(const struct family *family, char field[FAMILY_FIELD_SIZE])
{
	static const char *const ends[] = {"_total", "_seconds"};
	const char *begin = family->scope == SCOPE_NODE ? "bramble_node_" : "bramble_";
	size_t i, len;

	snprintf(field, FAMILY_FIELD_SIZE, "%s", family->name + strlen(begin));
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		len = strlen(field);
		if (len > strlen(ends[i]) && !strcmp(field + len - strlen(ends[i]), ends[i]))
			field[len - strlen(ends[i])] = '\0';
	}
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
