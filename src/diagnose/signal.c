/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/signal.h"

#include <string.h>

#include "util/array.h"

const char *const signal_probe_names[SIGNAL_PROBES] = {
	[SIGNAL_PROBE_SCHED] = "sched",	  [SIGNAL_PROBE_BLOCK] = "block",
	[SIGNAL_PROBE_FSYNC] = "fsync",	  [SIGNAL_PROBE_TCP] = "tcp",
	[SIGNAL_PROBE_MEMORY] = "memory", [SIGNAL_PROBE_BLOCKED] = "blocked",
	[SIGNAL_PROBE_FILES] = "cgroup",
};

const char *const signal_hist_titles[SIGNAL_HISTS] = {
	[SIGNAL_CPU_WAIT] = "wait for a CPU",
	[SIGNAL_BLOCK_READ] = "reads at the disk",
	[SIGNAL_BLOCK_WRITE] = "writes at the disk",
	[SIGNAL_QUEUE_READ] = "reads before the disk",
	[SIGNAL_QUEUE_WRITE] = "writes before the disk",
	[SIGNAL_FSYNC] = "fsync",
	[SIGNAL_CONNECT] = "opening TCP connections",
	[SIGNAL_RESPONSE_SERVER] = "its answers to others",
	[SIGNAL_RESPONSE_CLIENT] = "answers of others to it",
	[SIGNAL_RTT] = "TCP round trips",
	[SIGNAL_MEMORY_STALL] = "stalls for memory",
	[SIGNAL_BLOCKED] = "blocked in the kernel",
};

const enum signal_probe signal_hist_probes[SIGNAL_HISTS] = {
	[SIGNAL_CPU_WAIT] = SIGNAL_PROBE_SCHED,	     [SIGNAL_BLOCK_READ] = SIGNAL_PROBE_BLOCK,
	[SIGNAL_BLOCK_WRITE] = SIGNAL_PROBE_BLOCK,   [SIGNAL_QUEUE_READ] = SIGNAL_PROBE_BLOCK,
	[SIGNAL_QUEUE_WRITE] = SIGNAL_PROBE_BLOCK,   [SIGNAL_FSYNC] = SIGNAL_PROBE_FSYNC,
	[SIGNAL_CONNECT] = SIGNAL_PROBE_TCP,	     [SIGNAL_RESPONSE_SERVER] = SIGNAL_PROBE_TCP,
	[SIGNAL_RESPONSE_CLIENT] = SIGNAL_PROBE_TCP, [SIGNAL_RTT] = SIGNAL_PROBE_TCP,
	[SIGNAL_MEMORY_STALL] = SIGNAL_PROBE_MEMORY, [SIGNAL_BLOCKED] = SIGNAL_PROBE_BLOCKED,
};

const enum signal_probe signal_value_probes[SIGNAL_VALUES] = {
	[SIGNAL_SWITCHES_VOLUNTARY] = SIGNAL_PROBE_SCHED,
	[SIGNAL_SWITCHES_INVOLUNTARY] = SIGNAL_PROBE_SCHED,
	[SIGNAL_CPU_USAGE] = SIGNAL_PROBE_FILES,
	[SIGNAL_CPU_THROTTLED] = SIGNAL_PROBE_FILES,
	[SIGNAL_RETRANSMITS] = SIGNAL_PROBE_TCP,
	[SIGNAL_RESETS] = SIGNAL_PROBE_TCP,
	[SIGNAL_CONNECT_FAILURES] = SIGNAL_PROBE_TCP,
	[SIGNAL_QUEUE_OVERFLOWS] = SIGNAL_PROBE_TCP,
	[SIGNAL_OOM_KILLS] = SIGNAL_PROBE_MEMORY,
	[SIGNAL_OOM_EVENTS] = SIGNAL_PROBE_FILES,
	[SIGNAL_LIMIT_HITS] = SIGNAL_PROBE_FILES,
	[SIGNAL_PRESSURE_MEMORY] = SIGNAL_PROBE_FILES,
	[SIGNAL_OPEN_CONNECTIONS] = SIGNAL_PROBE_TCP,
	[SIGNAL_WORKING_SET] = SIGNAL_PROBE_FILES,
	[SIGNAL_MEMORY_LIMIT] = SIGNAL_PROBE_FILES,
};

/* clang-format off */
const struct signal_field signal_fields[] = {
	{"cpu_wait",             NULL,          SIGNAL_FIELD_HIST,  SIGNAL_CPU_WAIT},
	{"block_io",             "read",        SIGNAL_FIELD_HIST,  SIGNAL_BLOCK_READ},
	{"block_io",             NULL,          SIGNAL_FIELD_HIST,  SIGNAL_BLOCK_WRITE},
	{"block_queue",          "read",        SIGNAL_FIELD_HIST,  SIGNAL_QUEUE_READ},
	{"block_queue",          NULL,          SIGNAL_FIELD_HIST,  SIGNAL_QUEUE_WRITE},
	{"fsync",                NULL,          SIGNAL_FIELD_HIST,  SIGNAL_FSYNC},
	{"tcp_connect",          NULL,          SIGNAL_FIELD_HIST,  SIGNAL_CONNECT},
	{"tcp_response",         "server",      SIGNAL_FIELD_HIST,  SIGNAL_RESPONSE_SERVER},
	{"tcp_response",         "client",      SIGNAL_FIELD_HIST,  SIGNAL_RESPONSE_CLIENT},
	{"tcp_rtt",              NULL,          SIGNAL_FIELD_HIST,  SIGNAL_RTT},
	{"memory_stall",         NULL,          SIGNAL_FIELD_HIST,  SIGNAL_MEMORY_STALL},
	{"task_blocked",         NULL,          SIGNAL_FIELD_HIST,  SIGNAL_BLOCKED},
	{"cpu_context_switches", "voluntary",   SIGNAL_FIELD_VALUE, SIGNAL_SWITCHES_VOLUNTARY},
	{"cpu_context_switches", "involuntary", SIGNAL_FIELD_VALUE, SIGNAL_SWITCHES_INVOLUNTARY},
	{"cpu_usage",            NULL,          SIGNAL_FIELD_VALUE, SIGNAL_CPU_USAGE},
	{"cpu_throttled",        NULL,          SIGNAL_FIELD_VALUE, SIGNAL_CPU_THROTTLED},
	{"tcp_retransmits",      NULL,          SIGNAL_FIELD_VALUE, SIGNAL_RETRANSMITS},
	{"tcp_resets",           NULL,          SIGNAL_FIELD_VALUE, SIGNAL_RESETS},
	{"tcp_connect_failures", NULL,          SIGNAL_FIELD_VALUE, SIGNAL_CONNECT_FAILURES},
	{"tcp_accept_queue_overflows", NULL,    SIGNAL_FIELD_VALUE, SIGNAL_QUEUE_OVERFLOWS},
	{"memory_oom_kills",     NULL,          SIGNAL_FIELD_VALUE, SIGNAL_OOM_KILLS},
	{"memory_events",        "oom_kill",    SIGNAL_FIELD_VALUE, SIGNAL_OOM_EVENTS},
	{"memory_events",        "max",         SIGNAL_FIELD_VALUE, SIGNAL_LIMIT_HITS},
	{"pressure",             "memory/some", SIGNAL_FIELD_VALUE, SIGNAL_PRESSURE_MEMORY},
	{"tcp_open_connections", NULL,          SIGNAL_FIELD_VALUE, SIGNAL_OPEN_CONNECTIONS},
	{"memory_working_set_bytes", NULL,      SIGNAL_FIELD_VALUE, SIGNAL_WORKING_SET},
	{"memory_limit_bytes",   NULL,          SIGNAL_FIELD_VALUE, SIGNAL_MEMORY_LIMIT},
};
/* clang-format on */

const size_t signal_field_count = ARRAY_SIZE(signal_fields);

bool signal_adds_up(const char *label)
{
	return strcmp(label, "device") == 0 || strcmp(label, "port") == 0;
}

const struct signal_field *signal_find_field(const char *name, const char *path)
{
	size_t i;

	for (i = 0; i < signal_field_count; i++)
		if (strcmp(signal_fields[i].name, name) == 0 &&
		    (!signal_fields[i].path || strcmp(signal_fields[i].path, path) == 0))
			return &signal_fields[i];
	return NULL;
}

const char *signal_field_name(bool is_hist, int id)
{
	size_t i = 0;

	while (signal_fields[i].id != id || (signal_fields[i].kind == SIGNAL_FIELD_HIST) != is_hist)
		i++; /* each signal has a field: tests/unit/test_signals.c */
	return signal_fields[i].name;
}
