/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What was lost in the last hour, in bounded memory: verdict.h judges it. Of each interval it keeps
 * a note for each container and unit that lost something: how much by cause, because of whom, and
 * by what evidence. Those that lost nothing take no memory.
 *
 * Bounds: RECORD_INTERVAL_NOTES notes an interval, of those that lost most; RECORD_NOTES in all, so
 * that the last 64 intervals are there, and RECORD_INTERVALS if fewer lost something; and
 * RECORD_SUBJECTS names: if there are more, the oldest intervals go. What is left out of an
 * interval is counted.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_RECORD_H
#define BRAMBLE_RECORD_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diagnose/cause.h"
#include "diagnose/growers.h"
#include "diagnose/machine.h"
#include "diagnose/rows.h"
#include "util/hash.h"

#define RECORD_INTERVALS      360
#define RECORD_NOTES	      4096
#define RECORD_INTERVAL_NOTES 64
#define RECORD_SUBJECTS	      2048

#define NOTE_CAUSERS	      3
#define NOTE_TROUBLES	      (CAUSES_OF_OWNERS - CAUSES_TIMED)

/* A container or unit: one that lost something, or that others lost something by. */
struct subject {
	char *name; /* as of a row of ROW_LEVEL_CONTAINER */
	struct reading_labels labels;
	struct arena strings;
	uint64_t last; /* the number of the last interval that has a note of it */
	uint16_t index;
	UT_hash_handle hh; /* by name */
};

struct note {
	uint16_t subject;
	uint16_t causer[NOTE_CAUSERS]; /* of waits for a CPU: the worst; causer_count of them */
	uint8_t causer_count;
	uint8_t part[CAUSES_TIMED];	  /* of its cause, whose evidence this is; NOTE_NO_PART */
	uint8_t p99[CAUSES_TIMED];	  /* a bucket: hist_bound(); if the count is not 0 */
	uint16_t troubles[NOTE_TROUBLES]; /* how many; 65535 stands for more */
	float causer_seconds[NOTE_CAUSERS];
	float lost[CAUSES_TIMED]; /* seconds */
	uint32_t count[CAUSES_TIMED];
	float used;	    /* seconds of CPUs; 0 if not known */
	float memory_limit; /* bytes; 0: none, or not known */
};

#define NOTE_NO_PART 0xff

static_assert(sizeof(struct note) <= 132, "RECORD_NOTES of them take at most 528 KiB");

struct record_interval {
	double from_seconds, to_seconds; /* by the clock of the readings */
	uint64_t first;			 /* number of its first note */
	unsigned int count;
	/* Who took more memory, the worst first: grower_count of them. */
	uint16_t grower[GROWERS_MAX];
	float grower_bytes[GROWERS_MAX];
	unsigned int grower_count;
};

/* A state of the machine, and the intervals in which it held. */
struct record_state {
	struct machine_state is;
	uint64_t held[(RECORD_INTERVALS + 63) / 64]; /* a bit for each place in the ring */
	uint64_t last;				     /* the number of the last one */
};

struct record {
	struct note *notes;				    /* a ring of RECORD_NOTES */
	uint64_t note_count;				    /* since the start */
	struct record_interval intervals[RECORD_INTERVALS]; /* a ring */
	uint64_t oldest;	 /* earlier ones are forgotten, as their names found no room */
	uint64_t interval_count; /* since the start */
	struct subject *subjects[RECORD_SUBJECTS]; /* by index; NULL: free */
	struct subject *by_name;
	size_t subject_count;
	struct record_state states[MACHINE_STATES_MAX];
	size_t state_count;
	bool measured[WAIT_CAUSES]; /* in the last interval */
	uint64_t left_out;	    /* notes and names that found no place */
};

/* NULL: no memory. */
struct record *record_new(void);
void record_free(struct record *record);

/* What an interval was like for all. */
struct record_surroundings {
	const struct machine *machine; /* at its end */
	const struct growers *growers;
	double available; /* part of the machine's memory, at its end; NAN: not known */
};

/*
 * Adds an interval: the rows of containers (ROW_LEVEL_CONTAINER). Returns 0 or -ENOMEM; then a part
 * of it was added, and the rest counts as left out.
 */
int record_add(struct record *record, const struct rows *rows,
	       const struct record_surroundings *around);

/* How many intervals are kept. The last one is number interval_count - 1. */
uint64_t record_kept(const struct record *record);

/* An interval that is kept, and a note of it. */
const struct record_interval *record_interval(const struct record *record, uint64_t number);
const struct note *record_note(const struct record *record, uint64_t number);

/* Whether a state held in an interval that is kept. */
bool record_held(const struct record_state *state, uint64_t number);

#endif
