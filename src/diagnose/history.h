/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What was seen until now: for each container the histograms of the last intervals, since when it
 * waits, who made it wait for a CPU, and its events. One thread calls all of this.
 */
#ifndef BRAMBLE_HISTORY_H
#define BRAMBLE_HISTORY_H

#include <stdint.h>

#include "diagnose/rows.h"
#include "diagnose/waits.h"

#define HISTORY_COLUMNS	   120 /* intervals that are kept */

/* Buckets of one power of two: 0 ends at 2^-20 s, n at 2^(n-20) s. The last one has no end. */
#define HISTORY_OCTAVES	   29

#define HISTORY_EVENTS	   16 /* of each container */
#define HISTORY_EVENT_SIZE 128

struct history_event {
	uint64_t number; /* events are numbered from 1 on, in the order of time */
	uint64_t at_ns;	 /* CLOCK_BOOTTIME */
	char text[HISTORY_EVENT_SIZE];
};

struct history;

struct history *history_new(void);
void history_free(struct history *history);

/*
 * Adds an interval that ended at at_ns (CLOCK_BOOTTIME). The rows must be those of containers
 * (ROW_LEVEL_CONTAINER). Returns 0, or -ENOMEM: then only part of the interval was added.
 */
int history_add(struct history *history, const struct rows *rows, uint64_t at_ns);

/* How many intervals are kept, and how many seconds the last count of them took together. */
int history_columns(const struct history *history);
double history_seconds(const struct history *history, int count);

/*
 * Adds up what the containers of a row counted in each of the last count intervals, the newest
 * last. Returns the number of values.
 */
double history_cells(const struct history *history, const char *name, enum row_level level,
		     enum signal_hist hist, int count, uint32_t (*cells)[HISTORY_OCTAVES]);

/*
 * Since when a row has been waiting for something, by the clock of the readings: in each interval
 * since then, one of its containers waited for at least WAITS_LEAST of the interval. The interval
 * that was added last must be that of the rows, or the one before it. If the row did not wait in
 * it, this is the beginning of the rows' interval.
 */
double history_waits_since(const struct history *history, const struct rows *rows,
			   const struct row *row, enum wait_cause cause);

/*
 * Who made a row wait for a CPU in all intervals until now; if victims is set, who waited because
 * of it. The longest wait comes first. Returns how many there are; the list gets at most max of
 * them. Names live until the arena is freed.
 */
size_t history_neighbours(const struct history *history, struct arena *arena, const char *name,
			  enum row_level level, bool victims, struct row_cause *list, size_t max);

/* Lists the last events of a row, at most max of them, the newest first. Returns how many. They
 * live until the next history_add(). */
size_t history_events(const struct history *history, const char *name, enum row_level level,
		      const struct history_event **list, size_t max);

#endif
