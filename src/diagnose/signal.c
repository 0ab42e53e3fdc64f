/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/signal.h"

#include "util/array.h"

const char *const top_probe_names[TOP_PROBES] = {
	[TOP_PROBE_SCHED] = "sched", [TOP_PROBE_BLOCK] = "block",   [TOP_PROBE_FSYNC] = "fsync",
	[TOP_PROBE_TCP] = "tcp",     [TOP_PROBE_MEMORY] = "memory", [TOP_PROBE_FILES] = "cgroup",
};

const char *const top_hist_titles[TOP_HISTS] = {
	[TOP_CPU_WAIT] = "wait for a CPU",
	[TOP_BLOCK_READ] = "reads at the disk",
	[TOP_BLOCK_WRITE] = "writes at the disk",
	[TOP_QUEUE_READ] = "reads before the disk",
	[TOP_QUEUE_WRITE] = "writes before the disk",
	[TOP_FSYNC] = "fsync",
	[TOP_CONNECT] = "opening TCP connections",
	[TOP_RESPONSE_SERVER] = "its answers to others",
	[TOP_RESPONSE_CLIENT] = "answers of others to it",
	[TOP_RTT] = "TCP round trips",
	[TOP_MEMORY_STALL] = "stalls for memory",
};

const enum top_probe top_hist_probes[TOP_HISTS] = {
	[TOP_CPU_WAIT] = TOP_PROBE_SCHED,      [TOP_BLOCK_READ] = TOP_PROBE_BLOCK,
	[TOP_BLOCK_WRITE] = TOP_PROBE_BLOCK,   [TOP_QUEUE_READ] = TOP_PROBE_BLOCK,
	[TOP_QUEUE_WRITE] = TOP_PROBE_BLOCK,   [TOP_FSYNC] = TOP_PROBE_FSYNC,
	[TOP_CONNECT] = TOP_PROBE_TCP,	       [TOP_RESPONSE_SERVER] = TOP_PROBE_TCP,
	[TOP_RESPONSE_CLIENT] = TOP_PROBE_TCP, [TOP_RTT] = TOP_PROBE_TCP,
	[TOP_MEMORY_STALL] = TOP_PROBE_MEMORY,
};

const enum top_probe top_value_probes[TOP_VALUES] = {
	[TOP_SWITCHES_VOLUNTARY] = TOP_PROBE_SCHED, [TOP_SWITCHES_INVOLUNTARY] = TOP_PROBE_SCHED,
	[TOP_CPU_USAGE] = TOP_PROBE_FILES,	    [TOP_CPU_THROTTLED] = TOP_PROBE_FILES,
	[TOP_RETRANSMITS] = TOP_PROBE_TCP,	    [TOP_RESETS] = TOP_PROBE_TCP,
	[TOP_CONNECT_FAILURES] = TOP_PROBE_TCP,	    [TOP_OOM_KILLS] = TOP_PROBE_MEMORY,
	[TOP_OOM_EVENTS] = TOP_PROBE_FILES,	    [TOP_PRESSURE_MEMORY] = TOP_PROBE_FILES,
	[TOP_OPEN_CONNECTIONS] = TOP_PROBE_TCP,	    [TOP_WORKING_SET] = TOP_PROBE_FILES,
	[TOP_MEMORY_LIMIT] = TOP_PROBE_FILES,
};

/* clang-format off */
const struct top_field top_fields[] = {
	{"cpu_wait",             NULL,          TOP_FIELD_HIST,  TOP_CPU_WAIT},
	{"block_io",             "read",        TOP_FIELD_HIST,  TOP_BLOCK_READ},
	{"block_io",             NULL,          TOP_FIELD_HIST,  TOP_BLOCK_WRITE},
	{"block_queue",          "read",        TOP_FIELD_HIST,  TOP_QUEUE_READ},
	{"block_queue",          NULL,          TOP_FIELD_HIST,  TOP_QUEUE_WRITE},
	{"fsync",                NULL,          TOP_FIELD_HIST,  TOP_FSYNC},
	{"tcp_connect",          NULL,          TOP_FIELD_HIST,  TOP_CONNECT},
	{"tcp_response",         "server",      TOP_FIELD_HIST,  TOP_RESPONSE_SERVER},
	{"tcp_response",         "client",      TOP_FIELD_HIST,  TOP_RESPONSE_CLIENT},
	{"tcp_rtt",              NULL,          TOP_FIELD_HIST,  TOP_RTT},
	{"memory_stall",         NULL,          TOP_FIELD_HIST,  TOP_MEMORY_STALL},
	{"cpu_context_switches", "voluntary",   TOP_FIELD_VALUE, TOP_SWITCHES_VOLUNTARY},
	{"cpu_context_switches", "involuntary", TOP_FIELD_VALUE, TOP_SWITCHES_INVOLUNTARY},
	{"cpu_usage",            NULL,          TOP_FIELD_VALUE, TOP_CPU_USAGE},
	{"cpu_throttled",        NULL,          TOP_FIELD_VALUE, TOP_CPU_THROTTLED},
	{"tcp_retransmits",      NULL,          TOP_FIELD_VALUE, TOP_RETRANSMITS},
	{"tcp_resets",           NULL,          TOP_FIELD_VALUE, TOP_RESETS},
	{"tcp_connect_failures", NULL,          TOP_FIELD_VALUE, TOP_CONNECT_FAILURES},
	{"memory_oom_kills",     NULL,          TOP_FIELD_VALUE, TOP_OOM_KILLS},
	{"memory_events",        "oom_kill",    TOP_FIELD_VALUE, TOP_OOM_EVENTS},
	{"pressure",             "memory/some", TOP_FIELD_VALUE, TOP_PRESSURE_MEMORY},
	{"tcp_open_connections", NULL,          TOP_FIELD_VALUE, TOP_OPEN_CONNECTIONS},
	{"memory_working_set_bytes", NULL,      TOP_FIELD_VALUE, TOP_WORKING_SET},
	{"memory_limit_bytes",   NULL,          TOP_FIELD_VALUE, TOP_MEMORY_LIMIT},
};
/* clang-format on */

const size_t top_field_count = ARRAY_SIZE(top_fields);
