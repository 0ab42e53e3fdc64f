/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What top knows of: the fields of the API (docs/api.md) that it shows, by
 * name. A field that it does not know is passed over, and one that is not there
 * is not known, which is something else than zero.
 */
#ifndef BRAMBLE_SIGNAL_H
#define BRAMBLE_SIGNAL_H

#include <stddef.h>

enum top_hist_id {
	TOP_CPU_WAIT,
	TOP_BLOCK_READ,	 /* at the device */
	TOP_BLOCK_WRITE, /* the same; with flushes and discards */
	TOP_QUEUE_READ,	 /* before the device */
	TOP_QUEUE_WRITE,
	TOP_FSYNC,
	TOP_CONNECT,
	TOP_RESPONSE_SERVER, /* its own answers to others */
	TOP_RESPONSE_CLIENT, /* answers of others to it */
	TOP_RTT,
	TOP_MEMORY_STALL,
	TOP_HISTS,
};

enum top_value_id {
	/* Counters: seconds or a number. */
	TOP_SWITCHES_VOLUNTARY,
	TOP_SWITCHES_INVOLUNTARY,
	TOP_CPU_USAGE,
	TOP_CPU_THROTTLED,
	TOP_RETRANSMITS,
	TOP_RESETS,
	TOP_CONNECT_FAILURES,
	TOP_OOM_KILLS,	/* as the probe saw them; where it is not known, */
	TOP_OOM_EVENTS, /* as the cgroup's files count them */
	TOP_PRESSURE_MEMORY,
	TOP_COUNTERS,
	/* Gauges. */
	TOP_OPEN_CONNECTIONS = TOP_COUNTERS,
	TOP_WORKING_SET,
	TOP_MEMORY_LIMIT,
	TOP_VALUES,
};

/* What measures a signal, as the flags --no-probe.NAME call it, or the cgroup's own files. */
enum top_probe {
	TOP_PROBE_SCHED,
	TOP_PROBE_BLOCK,
	TOP_PROBE_FSYNC,
	TOP_PROBE_TCP,
	TOP_PROBE_MEMORY,
	TOP_PROBE_FILES,
	TOP_PROBES,
};

/* "sched", "block" and so on; "cgroup" for the files */
extern const char *const top_probe_names[TOP_PROBES];

/* In words, for a heading: "wait for a CPU" */
extern const char *const top_hist_titles[TOP_HISTS];
extern const enum top_probe top_hist_probes[TOP_HISTS];
extern const enum top_probe top_value_probes[TOP_VALUES];

/*
 * A field, and within it the values of its labels joined by slashes, without the
 * device: {"op": "read"} of block_io is "read". path NULL: the field itself, or whatever its labels
 * are.
 */
struct top_field {
	const char *name;
	const char *path;
	enum { TOP_FIELD_HIST, TOP_FIELD_VALUE } kind;
	int id; /* enum top_hist_id or enum top_value_id */
};

extern const struct top_field top_fields[];
extern const size_t top_field_count;

#endif
