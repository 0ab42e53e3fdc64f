/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of signals, families.def: every metric family is one row. It says what is taken from a
 * reading, what is kept for each owner, what the exposition and the JSON API have, and what
 * docs/metrics.md says.
 *
 * A new signal of a container or a unit is two things: a field that a BPF program counts in
 * (include/bramble/cells.h), and a row that says where the field is. Everything else
 * follows from the row: the ledger (ledger.h) keeps the values, and all formats show them.
 *
 * Any other signal is a row with a function that emits its samples: samples.h.
 */
#ifndef BRAMBLE_FAMILIES_H
#define BRAMBLE_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>

#include "node/node.h"
#include "probe/descriptor.h"

/* FAMILY_CPU_WAIT, ...: the rows' numbers. */
enum family_id {
#define FAMILY(id, ...) FAMILY_##id,
#include "metrics/families.def"
#undef FAMILY
	FAMILIES,
};

enum family_kind {
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_HISTOGRAM,
	KIND_SUMMARY,
};

/* The kind of object that a sample is about. It decides which labels the sample has. */
enum family_scope {
	SCOPE_OWNER,	 /* a container or a unit: owner_labels() */
	SCOPE_PAIR,	 /* an owner, and by_... for another one: cause_labels() */
	SCOPE_FINDING,	 /* the same, or without by_... */
	SCOPE_POD,	 /* a pod (namespace, pod, and an empty container) */
	SCOPE_CONTAINER, /* a container (namespace, pod, container) */
	SCOPE_NODE,	 /* this machine */
	SCOPE_PROBE,	 /* a probe (probe) */
	SCOPE_SELF,	 /* this program */
};

/*
 * The source that counts the values of a family about owners. A source is read as a whole. The
 * comments say what a reading of it is. The row's offset says where in the reading the family's
 * first value is.
 */
enum family_source {
	SOURCE_NONE,				 /* not about owners */
	SOURCE_CELLS,				 /* SOURCE_OF_PROBE(0): a cell of this probe */
	SOURCE_PRESSURE = SOURCE_CELLS + PROBES, /* uint64_t[PRESSURE_RESOURCES]: pressure.h */
	SOURCE_TIMES,				 /* uint64_t[TIME_STATES]: times.h */
	SOURCE_FILES,				 /* struct cgroup_values; a value may be unknown */
	SOURCE_CAUSED,				 /* uint64_t: the wait of one owner for another */
	SOURCE_PORTS,				 /* struct port_reading */
	SOURCE_PEERS,				 /* struct tcp_peer_counts */
	SOURCES,
};

#define SOURCE_OF_PROBE(id) ((enum family_source)(SOURCE_CELLS + (id)))

/* What came to one port of an owner; or, under no port, the answers that it got as a client. */
struct port_reading {
	uint64_t accepted;
	struct hist response[TCP_ROLES];
};

/* A label of a sample. */
struct label {
	const char *name;  /* as Prometheus allows: [a-zA-Z_][a-zA-Z0-9_]* */
	const char *value; /* UTF-8; it may contain anything */
};

struct samples;
struct scrape;

/* Emits the samples of a family: samples.h. */
typedef void (*family_emit)(struct samples *out, const struct scrape *scrape);

#define FAMILY_LABELS_MAX 2

struct family {
	const char *name;
	const char *help;
	enum family_kind kind;
	enum family_scope scope;
	bool seconds;		   /* counted in ns, exported in seconds */
	bool real;		   /* a gauge with a fraction: sample.real */
	const char *label;	   /* a further label, or NULL */
	const char *const *values; /* its values, in the order of the reading; NULL: many */
	size_t value_count;
	const char *inner_label; /* one more, or NULL: all its values for each of those */
	const char *const *inner_values;
	size_t inner_count;
	enum family_source source;
	size_t offset;	     /* in bytes, in a reading of the source */
	enum probe_id probe; /* whose programs count it: of any source but SOURCE_FILES */
	family_emit emit;
	enum node_value node;
};

extern const struct family families[FAMILIES];

/* Whether a family is counted in the cells of a probe. */
bool family_in_cells(const struct family *family);

/*
 * Whether it begins to count when its owner is made, so that the series of an owner have a time of
 * creation. What the kernel counts began before, and that of a pair or a peer is not kept.
 */
bool family_begins_with_owner(const struct family *family);

/*
 * Returns the names of the labels that an account of the family's source has beside its owner's:
 * ACCOUNT_LABELS_MAX of them at most, ended by NULL. For a family about owners. Without those of a
 * cause, which depend on it.
 */
#define ACCOUNT_LABELS_MAX 4
const char *const *family_account_labels(const struct family *family);

/*
 * Returns the names of the labels that the cells have: CELL_LABELS_MAX of them, NULL where unused.
 * For a family that is counted in cells.
 */
const char *const *family_cell_labels(const struct family *family);

/* How many consecutive values a reading has for it: one for each value of its labels. */
size_t family_value_count(const struct family *family);

/* Writes the family's own labels for one of these values. Returns how many (FAMILY_LABELS_MAX). */
size_t family_labels(const struct family *family, size_t value, struct label *out);

/* The unit: the last word of the name without "_total", such as "seconds". NULL if there is none.
 */
const char *family_unit(const struct family *family);

/*
 * The family's field in the JSON API: its name without the project, without "node", and without its
 * suffix. bramble_cpu_wait_seconds is "cpu_wait", and bramble_node_load1 is "load1".
 */
#define FAMILY_FIELD_SIZE 64
void family_field(const struct family *family, char field[FAMILY_FIELD_SIZE]);

/* "counter", "gauge", "histogram", "summary" */
const char *family_kind_name(enum family_kind kind);

#endif
