/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One reading: what each container and unit has counted by now, and how the node is. It is made
 * from the text of the API (reading_json.h), or from the owners of a probe of this program
 * (reading_scrape.h).
 */
#ifndef BRAMBLE_READING_H
#define BRAMBLE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/signal.h"
#include "util/arena.h"

/* Who something is about. What is not set is "". */
struct reading_labels {
	const char *name_space, *pod, *container; /* or, if it is in no pod: */
	const char *unit;
	const char *workload_kind, *workload; /* do not tell two apart */
};

bool reading_labels_equal(const struct reading_labels *a, const struct reading_labels *b);

/* One word, as a reading has many of them, and `serve` keeps one. */
struct reading_bucket {
	uint64_t index : 8; /* 0 to HIST_BUCKETS - 1 */
	uint64_t count : 56;
};

/* A histogram. If an index occurs more than once, the counts are to be added. */
struct reading_hist {
	bool known;
	double count, sum_seconds;
	struct reading_bucket *buckets;
	size_t bucket_count;
};

struct reading_cause {
	struct reading_labels labels;
	uint64_t id; /* of the one who caused it; 0: not told */
	double seconds;
};

struct reading_entry {
	struct reading_labels labels;
	uint64_t id; /* stays when the labels change; 0: not told */
	/* By the clock of time_seconds; NAN: not told. */
	double since_seconds;	     /* when all its counts were 0 */
	double joined_since_seconds; /* when the counts that it took over were 0, */
	double joined_at_seconds;    /* and when it took them over */
	struct reading_hist hist[SIGNAL_HISTS];
	double value[SIGNAL_VALUES];
	bool value_known[SIGNAL_VALUES];
	struct reading_cause *causes;
	size_t cause_count;
};

#define NODE_THROTTLES_MAX 8

/* NAN: not known. */
struct reading_node {
	const char *name; /* "" if not known */
	double load[3];
	double cpus;
	double celsius; /* the CPU's; if there is none, the highest */
	bool celsius_is_cpus;
	double memory_total, memory_available; /* bytes */
	bool throttle_known;
	const char *throttled[NODE_THROTTLES_MAX]; /* reasons that hold now */
	size_t throttled_count;
};

struct reading {
	struct arena arena;
	char *text; /* has the strings, if the arena does not */
	double time_seconds;
	double started_seconds; /* when the probe was started; NAN: not told */
	uint64_t last_id;	/* the highest id that was given until then; 0: not told */
	struct reading_entry *entries;
	size_t count;
	struct reading_node node;
	bool probe_known[SIGNAL_PROBES]; /* whether the reading says if the probe is up */
	bool probe_up[SIGNAL_PROBES];
	/* Entries by their id, or by their labels. */
	uint32_t *index;
	size_t index_size;
};

void reading_free(struct reading *reading);

/* The entry with this id or, if id is 0, with these labels. NULL: there is none. */
const struct reading_entry *reading_find(const struct reading *reading, uint64_t id,
					 const struct reading_labels *labels);

/* Whether the first was made after the second by the same probe: only then can they be compared. */
bool reading_follows(const struct reading *reading, const struct reading *before);

/* Whether a signal is measured: the reading says so, or a container has a value of it. */
bool reading_has_hist(const struct reading *reading, enum signal_hist id);
bool reading_has_value(const struct reading *reading, enum signal_value id);

/* ---------------------------------------------------------------- for those who make one */

extern const struct reading_labels reading_no_labels;

/* An empty reading and an empty entry: nothing is known. */
void reading_begin(struct reading *reading);
void reading_entry_begin(struct reading_entry *entry);

/* Notes whether a probe runs. Ignores names that are not in signal_probe_names. */
void reading_probe(struct reading *reading, const char *name, bool up);

/* Notes a sensor's temperature. The CPU's is kept, since its heat throttles; else the highest. */
void reading_node_temperature(struct reading_node *node, const char *chip, double celsius);

/* Notes a reason for being throttled. value: 0 if it does not hold now. */
void reading_node_throttled(struct reading_node *node, const char *reason, double value);

/* Makes the index of the entries, once all are there. Returns 0 or -ENOMEM. */
int reading_end(struct reading *reading);

#endif
