/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What happened between two readings, a row for each container or unit, or for
 * each pod, workload or namespace.
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

/* The words for them: "container", "pod" and so on. */
extern const char *const row_level_names[];

/* What a histogram counted in the interval. */
struct row_hist {
	bool known; /* false: nobody measured; all else is 0 then */
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
	double share; /* of all that the row waited for a CPU, at most 1; of a list of a row alone
		       */
};

struct row {
	/* "namespace/pod/container", the unit, or what the level makes of it. */
	const char *name;
	struct reading_labels labels; /* of the first one that it is made of */
	unsigned int members;	      /* how many containers and units */
	bool began;		      /* all of them did in the interval */
	struct row_hist hist[SIGNAL_HISTS];
	double value[SIGNAL_VALUES]; /* counters: what they grew by; gauges: as they are now */
	bool value_known[SIGNAL_VALUES];
	struct row_cause *causes; /* of its waits for a CPU, the worst first */
	size_t cause_count;
	/* What others waited for a CPU because of it, and who most of all (NULL: nobody). */
	double caused_seconds;
	struct row_cause worst_victim;
};

struct rows {
	struct arena arena; /* has all that the rows point to, but the strings of labels */
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
 * Compares two readings. What did not run meanwhile has no row. Labels point
 * into now, which must outlive the rows. The caller gives them to
 * rows_free(), whatever is returned: 0, -EINVAL if they cannot be compared
 * (reading_follows()), or -ENOMEM.
 *
 * What was not there before has counted all it has in between if it began in between. Else nobody
 * can tell, and the reading is the first of two: it has no row this time. The same holds for what
 * has taken over another's counts meanwhile, and for what counts less than before. A value that a
 * cgroup's files did not tell before is not known this time.
 */
int rows_make(const struct reading *before, const struct reading *now, enum row_level level,
	      struct rows *out);

/* Keeps the rows whose name matches. Returns 0, or -EINVAL if it is no extended regular expression.
 */
int rows_filter(struct rows *rows, const char *regex);

void rows_free(struct rows *rows);

/*
 * The upper bound of the bucket that a quantile lies in, in seconds. 0: it counted
 * nothing. Above the last bound: infinity.
 */
double row_hist_quantile(const struct row_hist *hist, double q);

/* How many of its processes were killed for lack of memory. */
double row_oom_kills(const struct row *row);

/* Two histograms as one: known if either is. The buckets come from the arena. Returns 0 or -ENOMEM.
 */
int row_hist_add(struct arena *arena, struct row_hist *to, const struct row_hist *from);

#endif
