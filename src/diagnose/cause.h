/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The table of causes: all that can be wrong with a container, a unit or the machine. A new cause
 * is a row: its name, its letter, what it is measured by, from when on it is said, and what helps.
 */
#ifndef BRAMBLE_CAUSE_H
#define BRAMBLE_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "diagnose/signal.h"

/* What a container waits for: the parts of the bar. They are the first causes. */
enum wait_cause {
	WAIT_CPU,	/* ready to run, in the queue of a CPU */
	WAIT_THROTTLED, /* held back by its CPU limit */
	WAIT_DISK,	/* reads, before and at the device */
	WAIT_FSYNC,
	WAIT_NETWORK, /* answers of peers to it, connections being opened */
	WAIT_MEMORY,  /* stalled until memory was reclaimed */
	WAIT_BLOCKED, /* in uninterruptible sleep, beyond what the others explain: see waits_find()
		       */
	WAIT_CAUSES,
};

/*
 * Writes are not a cause: the kernel writes most data back later, while nobody waits. A program
 * that waits for a write waits in an fsync.
 */

enum cause {
	/* Time that it lost; before these, enum wait_cause. */
	CAUSE_MEMORY_LIMIT = WAIT_CAUSES, /* the part of WAIT_MEMORY that its own limit explains */
	CAUSE_SLOW_ANSWERS,		  /* that others lost */
	CAUSES_TIMED,
	/* What happened to it, counted. */
	CAUSE_OOM_KILLS = CAUSES_TIMED,
	CAUSE_LOST_PACKETS,
	CAUSE_CONNECT_FAILURES,
	CAUSE_FULL_QUEUE,
	CAUSES_OF_OWNERS,
	/* States of the machine. */
	CAUSE_UNDER_VOLTAGE = CAUSES_OF_OWNERS,
	CAUSE_HEAT,
	CAUSE_DISK_FULL,
	CAUSE_NO_INODES,
	CAUSE_READ_ONLY,
	CAUSE_LOW_MEMORY,
	CAUSES,
};

/* A histogram that a wait is measured by. */
struct cause_part {
	enum signal_hist hist;
	const char *words; /* of a sentence, behind "waited 12 % of the last 1 s" */
	const char *noun;  /* what it counts: "reads"; NULL: its number is not said */
};

#define CAUSE_PARTS_MAX 2

struct cause_kind {
	const char *name; /* in metrics and the API: "cpu_limit" */

	/* Of enum wait_cause only. */
	const char *word;	  /* in the legend of the bar, and the JSON of top: "throttled" */
	char letter;		  /* in the bar */
	const char *state, *less; /* in events, as it begins and as it ends: "is throttled" */
	/*
	 * Its time is the sum of these. The one with the most time is its evidence, unless it has
	 * no words: then the first.
	 */
	struct cause_part parts[CAUSE_PARTS_MAX];
	size_t part_count;
	bool has_counter;	   /* or if none of these are known: */
	enum signal_value counter; /* in seconds */
	const char *counter_words;

	/* What is counted, behind its number; or how the machine is, behind the place. */
	const char *happened;

	/* From this share of a minute on it is said (levels.h); 0: it is judged by itself. */
	double least;
	double per_second; /* of what is counted: from so many on it is said; 0: from one on */
	double weight;	   /* of what is counted: seconds that one stands for where it is ranked */
	const char *hint;  /* why it may be wrong; NULL: it is measured */
	/* What to do about it, one line. %1 is who it is about, %2 who caused it or where. */
	const char *advice;
	const char *unit_advice; /* the same for a unit of systemd; NULL: no other */
};

extern const struct cause_kind cause_kinds[CAUSES];

#endif
