/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The signals that a diagnosis is made from, and the fields of the API (docs/api.md) that they
 * come in. Other fields are passed over. A field that is not there is not known, which is not the
 * same as zero.
 */
#ifndef BRAMBLE_SIGNAL_H
#define BRAMBLE_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>

enum signal_hist {
	SIGNAL_CPU_WAIT,
	SIGNAL_BLOCK_READ,  /* at the device */
	SIGNAL_BLOCK_WRITE, /* at the device; with flushes and discards */
	SIGNAL_QUEUE_READ,  /* before the device */
	SIGNAL_QUEUE_WRITE,
	SIGNAL_FSYNC,
	SIGNAL_CONNECT,
	SIGNAL_RESPONSE_SERVER, /* its own answers to others */
	SIGNAL_RESPONSE_CLIENT, /* answers of others to it */
	SIGNAL_RTT,
	SIGNAL_MEMORY_STALL,
	SIGNAL_BLOCKED,
	SIGNAL_HISTS,
};

enum signal_value {
	/* Counters: seconds or a number. */
	SIGNAL_SWITCHES_VOLUNTARY,
	SIGNAL_SWITCHES_INVOLUNTARY,
	SIGNAL_CPU_USAGE,
	SIGNAL_CPU_THROTTLED,
	SIGNAL_RETRANSMITS,
	SIGNAL_RESETS,
	SIGNAL_CONNECT_FAILURES,
	SIGNAL_QUEUE_OVERFLOWS, /* connections that its full accept queue turned away */
	SIGNAL_OOM_KILLS,	/* as the probe counts them */
	SIGNAL_OOM_EVENTS,	/* as the cgroup's files do, for when the probe does not run */
	SIGNAL_LIMIT_HITS,	/* how often the memory limit was hit */
	SIGNAL_PRESSURE_MEMORY,
	SIGNAL_COUNTERS,
	/* Gauges. */
	SIGNAL_OPEN_CONNECTIONS = SIGNAL_COUNTERS,
	SIGNAL_WORKING_SET,
	SIGNAL_MEMORY_LIMIT,
	SIGNAL_VALUES,
};

/* What measures a signal: a probe, named as in the flag --no-probe.NAME, or the cgroup's files. */
enum signal_probe {
	SIGNAL_PROBE_SCHED,
	SIGNAL_PROBE_BLOCK,
	SIGNAL_PROBE_FSYNC,
	SIGNAL_PROBE_TCP,
	SIGNAL_PROBE_MEMORY,
	SIGNAL_PROBE_BLOCKED,
	SIGNAL_PROBE_FILES,
	SIGNAL_PROBES,
};

/* "sched", "block" and so on; "cgroup" for the files */
extern const char *const signal_probe_names[SIGNAL_PROBES];

/* In words, for a heading: "wait for a CPU" */
extern const char *const signal_hist_titles[SIGNAL_HISTS];
extern const enum signal_probe signal_hist_probes[SIGNAL_HISTS];
extern const enum signal_probe signal_value_probes[SIGNAL_VALUES];

/*
 * A field of the API, and a path in it: the values of its labels joined by slashes, without the
 * device and the port: signal_adds_up(). {"op": "read"} of block_io has the path "read". NULL: the
 * field without labels, or any labels that no row above has.
 */
struct signal_field {
	const char *name;
	const char *path;
	enum { SIGNAL_FIELD_HIST, SIGNAL_FIELD_VALUE } kind;
	int id; /* enum signal_hist or enum signal_value */
};

extern const struct signal_field signal_fields[];
extern const size_t signal_field_count;

/* The field of the API that a signal comes in: "cpu_wait". */
const char *signal_field_name(bool is_hist, int id);

/* Whether values that differ in this label are one signal: a device, a server's port. */
bool signal_adds_up(const char *label);

/* The field of a name and a path. NULL: it is no signal. */
const struct signal_field *signal_find_field(const char *name, const char *path);

#endif
