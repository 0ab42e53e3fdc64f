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

/* Whom something is about. What is not set is "". */
struct reading_labels {
	const char *name_space, *pod, *container; /* or, where it is no pod: */
	const char *unit;
	const char *workload_kind, *workload; /* not part of what tells two apart */
};

bool reading_labels_equal(const struct reading_labels *a, const struct reading_labels *b);

struct reading_bucket {
	uint32_t index; /* 0 to HIST_BUCKETS - 1 */
	uint64_t count;
};

/* A histogram as it was read. An index may be there more than once: the sum counts. */
struct reading_hist {
	bool known;
	double count, sum_seconds;
	struct reading_bucket *buckets;
	size_t bucket_count;
};

struct reading_cause {
	struct reading_labels labels;
	uint64_t id; /* of whom; 0: not told */
	double seconds;
};

struct reading_entry {
	struct reading_labels labels;
	uint64_t id; /* stays when the labels change; 0: not told */
	/* By the clock of time_seconds; NAN: not told. */
	double since_seconds;	     /* when all it has counted was 0 */
	double joined_since_seconds; /* when what it took over from another was 0, */
	double joined_at_seconds;    /* and when it took it over */
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
	double celsius; /* the CPU's, or else the highest there is */
	bool celsius_is_cpus;
	double memory_total, memory_available; /* bytes */
	bool throttle_known;
	const char *throttled[NODE_THROTTLES_MAX]; /* reasons that hold now */
	size_t throttled_count;
};

struct reading {
	struct arena arena;
	char *text; /* what the strings lie in, if it is not the arena */
	double time_seconds;
	double started_seconds; /* when whoever counts was started; NAN: not told */
	uint64_t last_id;	/* the highest that was given by then; 0: not told */
	struct reading_entry *entries;
	size_t count;
	struct reading_node node;
	bool probe_known[SIGNAL_PROBES]; /* whether it is said that the probe is up or not */
	bool probe_up[SIGNAL_PROBES];
	/* Entries by their id, or by their labels. */
	uint32_t *index;
	size_t index_size;
};

void reading_free(struct reading *reading);

/* The entry with this id or, where id is 0, with these labels; or NULL. */
const struct reading_entry *reading_find(const struct reading *reading, uint64_t id,
					 const struct reading_labels *labels);

/* Whether one was made after the other, by the same serve: only then they can be compared. */
bool reading_follows(const struct reading *reading, const struct reading *before);

/* Whether a probe feeds this reading: as it says, or by what any container has of it. */
bool reading_has_hist(const struct reading *reading, enum signal_hist id);
bool reading_has_value(const struct reading *reading, enum signal_value id);

/* ---------------------------------------------------------------- for those who make one */

extern const struct reading_labels reading_no_labels;

/* An empty reading and an empty entry: nothing is known. */
void reading_begin(struct reading *reading);
void reading_entry_begin(struct reading_entry *entry);

/* Takes in whether a probe runs. Names that are not in signal_probe_names are passed over. */
void reading_probe(struct reading *reading, const char *name, bool up);

/* Takes in a sensor's temperature. The CPU's counts, which is what throttles, or else the hottest.
 */
void reading_node_temperature(struct reading_node *node, const char *chip, double celsius);

/* Takes in a reason for being throttled. value: 0 if it does not hold now. */
void reading_node_throttled(struct reading_node *node, const char *reason, double value);

/* Ends it: entries can be found from now on. Returns 0 or -ENOMEM. */
int reading_end(struct reading *reading);

#endif
