/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of signals: every metric family, once. It drives what is read from
 * the kernel, what is kept for each container, the exposition and
 * docs/metrics.md.
 *
 * A new signal is a field in a cell (include/bramble/cells.h) that a BPF
 * program counts in, and a row here. A family that is not counted in cells is a row
 * and a function that emits its samples: samples.h.
 */
#ifndef BRAMBLE_FAMILIES_H
#define BRAMBLE_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/files.h"
#include "node/node.h"
#include "probe/probe.h"

enum family_id {
	FAMILY_CPU_WAIT,
	FAMILY_CPU_SWITCHES,
	FAMILY_CPU_WAIT_CAUSED,
	FAMILY_CPU_WAIT_SOME,
	FAMILY_MEMORY_STALL_SOME,
	FAMILY_IO_STALL_SOME,
	FAMILY_FSYNC,
	FAMILY_MEMORY_STALL,
	FAMILY_MEMORY_OOM_KILLS,
	FAMILY_BLOCK_IO,
	FAMILY_BLOCK_QUEUE,
	FAMILY_BLOCK_BYTES,
	FAMILY_BLOCK_ERRORS,
	FAMILY_CPU_USAGE,
	FAMILY_CPU_THROTTLED,
	FAMILY_CPU_THROTTLED_PERIODS,
	FAMILY_CPU_PERIODS,
	FAMILY_PRESSURE,
	FAMILY_MEMORY_WORKING_SET,
	FAMILY_MEMORY_LIMIT,
	FAMILY_MEMORY_EVENTS,
	FAMILY_NODE_LOAD1,
	FAMILY_NODE_LOAD5,
	FAMILY_NODE_LOAD15,
	FAMILY_NODE_MEMORY_TOTAL,
	FAMILY_NODE_MEMORY_AVAILABLE,
	FAMILY_NODE_SWAP_TOTAL,
	FAMILY_NODE_SWAP_FREE,
	FAMILY_NODE_FILESYSTEM_SIZE,
	FAMILY_NODE_FILESYSTEM_AVAILABLE,
	FAMILY_NODE_FILESYSTEM_FILES,
	FAMILY_NODE_FILESYSTEM_FILES_FREE,
	FAMILY_NODE_FILESYSTEM_READONLY,
	FAMILY_NODE_TEMPERATURE,
	FAMILY_NODE_CPU_FREQUENCY,
	FAMILY_NODE_CPU_FREQUENCY_LIMIT,
	FAMILY_NODE_CPU_FREQUENCY_MAX,
	FAMILY_NODE_THROTTLED,
	FAMILY_NODE_INTERRUPT,
	FAMILY_NODE_PRESSURE,
	FAMILY_NODE_FEATURE,
	FAMILY_POD_INFO,
	FAMILY_CONTAINER_INFO,
	FAMILY_TCP_CONNECT,
	FAMILY_TCP_CONNECT_FAILURES,
	FAMILY_TCP_RESPONSE,
	FAMILY_TCP_RTT,
	FAMILY_TCP_RETRANSMITS,
	FAMILY_TCP_RESETS,
	FAMILY_TCP_ACCEPTED,
	FAMILY_TCP_OVERFLOWS,
	FAMILY_TCP_OPEN,
	FAMILY_TCP_SENT,
	FAMILY_TCP_RECEIVED,
	FAMILY_PROBE_UP,
	FAMILY_PROBE_ATTRIBUTION,
	FAMILY_PROBE_EVENTS,
	FAMILY_PROBE_LOST,
	FAMILY_PROBE_CPU,
	FAMILY_KUBE_LAST_SUCCESS,
	FAMILY_KUBE_REQUESTS,
	FAMILY_KUBE_ERRORS,
	FAMILY_KUBE_PODS,
	FAMILY_SLOTS,
	FAMILY_CONTAINERS,
	FAMILY_SCRAPE,
	FAMILY_WEB_REFUSED,
	FAMILY_BUILD_INFO,
	FAMILY_PROCESS_CPU,
	FAMILY_PROCESS_RESIDENT,
	FAMILY_PROCESS_VIRTUAL,
	FAMILY_PROCESS_OPEN_FDS,
	FAMILY_PROCESS_MAX_FDS,
	FAMILY_PROCESS_START,
	FAMILIES,
};

enum family_kind {
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_HISTOGRAM,
	KIND_SUMMARY,
};

/* Whom a sample is about, and so which labels it carries. */
enum family_scope {
	SCOPE_OWNER,	 /* a container or a unit: owner_labels() */
	SCOPE_PAIR,	 /* an owner, and by_... for another one: cause_labels() */
	SCOPE_POD,	 /* a pod (namespace, pod, and an empty container) */
	SCOPE_CONTAINER, /* a container (namespace, pod, container) */
	SCOPE_NODE,	 /* this machine */
	SCOPE_PROBE,	 /* a probe (probe) */
	SCOPE_SELF,	 /* this program */
};

/*
 * The further labels of a cell, whose values its samples carry. Values are
 * interned: equal ones are the same pointer. Unused ones are NULL.
 */
#define CELL_LABELS_MAX 2
struct cell_labels {
	const char *value[CELL_LABELS_MAX];
};

/* The names of these labels, by probe. */
extern const char *const cell_label_names[PROBES][CELL_LABELS_MAX];

struct samples;
struct scrape;

/* Emits the samples of a family: samples.h. */
typedef void (*family_emit)(struct samples *out, const struct scrape *scrape);

struct family {
	const char *name;
	const char *help;
	enum family_kind kind;
	enum family_scope scope;
	bool seconds;		   /* counted in ns, exported in seconds */
	bool real;		   /* a gauge whose value is no whole number: sample.real */
	const char *label;	   /* a further label, or NULL */
	const char *const *values; /* its values, in the order of the cell's; NULL: many */
	size_t value_count;
	family_emit emit; /* NULL: counted in cells, emitted from the totals */
	/* If it is counted in cells: in which probe's, and where in it. SCOPE_OWNER. */
	enum probe_id probe;
	size_t cell_offset;
	/* If it is not: where emit_files() or emit_pressure(), or emit_node(), has its values. */
	enum cgroup_value files;
	enum node_value node;
};

extern const struct family families[FAMILIES];

/* Whether it is counted in the cells of a probe, and kept in totals. */
bool family_in_cells(const struct family *family);

/* How many counters or histograms a sample of the family has: one for each value of its label. */
size_t family_value_count(const struct family *family);

bool cell_labels_equal(const struct cell_labels *a, const struct cell_labels *b);

/* The unit, which is the last word of a name without "_total": "seconds"; NULL if it has none. */
const char *family_unit(const struct family *family);

/* "counter", "gauge", "histogram", "summary" */
const char *family_kind_name(enum family_kind kind);

#endif
