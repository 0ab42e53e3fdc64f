/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the time goes: what a row waited for in the interval, by cause, and how a bar of some cells
 * is divided among the causes.
 */
#ifndef BRAMBLE_WAITS_H
#define BRAMBLE_WAITS_H

#include <stdbool.h>

#include "diagnose/cause.h"
#include "diagnose/levels.h"
#include "diagnose/rows.h"

struct waits {
	bool known[WAIT_CAUSES];
	double seconds[WAIT_CAUSES]; /* waited in the interval, added up over its tasks */
	double total;
};

/*
 * A task that waits for a read, for an fsync or for memory is blocked while it does. So
 * WAIT_BLOCKED is what is left of the blocked time without all of these: it was blocked by
 * something else for at least so long. It may have been longer, as requests are under way, and
 * memory is reclaimed, while nobody sleeps.
 */
void waits_find(const struct row *row, struct waits *waits);

/* Whether anything measures a cause here. */
bool waits_measured(const struct rows *rows, enum wait_cause cause);

/* The cause with the most seconds. WAIT_CAUSES: there was no wait. */
enum wait_cause waits_worst(const struct waits *waits);

/*
 * Divides the cells of a bar among the causes by their seconds. It rounds by largest remainders, so
 * that they add up to all cells. Returns false, and gives no cell, if all waits together are less
 * than WAITS_LEAST of the interval.
 */
bool waits_bar(const struct waits *waits, double interval, int cells, int share[WAIT_CAUSES]);

#endif
