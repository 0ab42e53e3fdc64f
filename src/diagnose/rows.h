/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What happened between two readings: one row for each container or unit, or for each pod,
 * workload or namespace.
 */
#ifndef BRAMBLE_ROWS_H
#define BRAMBLE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/hist.h"
#include "util/arena.h"
#include "diagnose/reading.h"

enum row_level {
	ROW_LEVEL_CONTAINER,
	ROW_LEVEL_POD,
	ROW_LEVEL_WORKLOAD,
	ROW_LEVEL_NAMESPACE,
	ROW_LEVELS,
};

/* "container", "pod" and so on; ended by NULL. */
extern const char *const row_level_names[];

/* What a histogram counted in the interval. */
struct row_hist {
	bool known; /* false: nobody measures it; all else is 0 then */
	double count, sum_seconds;
	/*
	 * The sum, with each value counted as at most one interval: what was over
	 * in this one may have begun long before.
	 */
	double inside_seconds;
	uint32_t *bucket; /* HIST_BUCKETS of them; NULL if it counted nothing */
};

struct row_cause {
	const char *name;
	struct reading_labels labels; /* of the first one of that name */
	double seconds;
	double share; /* of all the row's waits for a CPU, at most 1. 0 in a history's lists */
};

struct row {
	/* "namespace/pod/container", the unit, or what the level makes of it. */
	const char *name;
	struct reading_labels labels; /* of the first one that it is made of */
	unsigned int members;	      /* how many containers and units */
	bool began;		      /* all of them began in the interval */
	struct row_hist hist[SIGNAL_HISTS];
	double value[SIGNAL_VALUES]; /* counters: what they grew by; gauges: as they are now */
	bool value_known[SIGNAL_VALUES];
	struct row_cause *causes; /* of its waits for a CPU, the worst first */
	size_t cause_count;
	/* How long others waited for a CPU because of it, and who waited longest (NULL: nobody). */
	double caused_seconds;
	struct row_cause worst_victim;
};

struct rows {
	struct arena arena; /* has all that the rows point to, except the strings of labels */
	struct row *rows;
	size_t count;
	enum row_level level;
	double from_seconds, to_seconds;  /* when the readings were made, by their clock */
	double seconds;			  /* between them */
	bool hist_measured[SIGNAL_HISTS]; /* whether anything measures this here */
	bool value_measured[SIGNAL_VALUES];
	bool probe_missing[SIGNAL_PROBES];
};

/*
 * "namespace/pod/container", the unit, or what the level makes of them. A pod whose workload nobody
 * told is a workload of its own. A longer name is cut.
 */
#define ROW_NAME_SIZE 512
void row_name_write(char text[ROW_NAME_SIZE], const struct reading_labels *labels,
		    enum row_level level);

/*
 * Compares two readings. Whoever did nothing in between has no row. Labels point into now, which
 * must outlive the rows. Returns 0, -EINVAL if the readings cannot be compared
 * (reading_follows()), or -ENOMEM. In any case the caller gives the rows to rows_free().
 *
 * An entry that is only in the second reading counts from zero if it began in the interval. Else
 * nobody can tell what it counted in the interval, and it has no row until the next one. The same
 * holds if it took over another's counts meanwhile, or counts less than before. A value that a
 * cgroup's files did not tell in the first reading is not known in this interval.
 */
int rows_make(const struct reading *before, const struct reading *now, enum row_level level,
	      struct rows *out);

/*
 * Keeps only rows whose name matches an extended regular expression. Returns 0; -EINVAL if it is
 * none; -ENOMEM. On an error all rows stay.
 */
int rows_filter(struct rows *rows, const char *regex);

void rows_free(struct rows *rows);

/* The upper bound of a bucket, in seconds: infinity for the last one. */
double row_hist_bound(int bucket);

/*
 * The upper bound, in seconds, of the bucket that a quantile lies in. 0: nothing was counted.
 * Infinity: it lies above the last bound.
 */
double row_hist_quantile(const struct row_hist *hist, double q);

/*
 * How many values lie in the buckets that end above the first bound, and at most at the second, in
 * seconds. *seconds: what they add up to, to a tenth; exact if these are all values. Each counts as
 * one interval at most.
 */
double row_hist_between(const struct row_hist *hist, double above, double most, double interval,
			double *seconds);

/* How many of its processes the kernel killed for lack of memory. */
double row_oom_kills(const struct row *row);

/* Adds a histogram to another. The sum is known if either is. Buckets come from the arena. Returns
 * 0 or -ENOMEM. */
int row_hist_add(struct arena *arena, struct row_hist *to, const struct row_hist *from);

#endif
