/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/waits.h"

#include <math.h>

/* A cause's time is that of its histograms; if none is known, that of its counter. */
static void find_cause(const struct row *row, enum wait_cause cause, struct waits *waits)
{
	const struct cause_kind *kind = &cause_kinds[cause];
	size_t i;

	for (i = 0; i < kind->part_count; i++) {
		const struct row_hist *hist = &row->hist[kind->parts[i].hist];

		waits->known[cause] |= hist->known;
		waits->seconds[cause] += hist->inside_seconds;
	}
	if (!waits->known[cause] && kind->has_counter) {
		waits->known[cause] = row->value_known[kind->counter];
		waits->seconds[cause] = row->value[kind->counter];
	}
}

/* All causes are known. What of the time in which it was blocked has a cause of its own is not
 * counted twice. */
static void take_explained(struct waits *waits)
{
	double explained = waits->seconds[WAIT_DISK] + waits->seconds[WAIT_FSYNC] +
			   waits->seconds[WAIT_MEMORY];

	waits->seconds[WAIT_BLOCKED] = fmax(waits->seconds[WAIT_BLOCKED] - explained, 0);
}

void waits_find(const struct row *row, struct waits *waits)
{
	int i;

	*waits = (struct waits){0};
	for (i = 0; i < WAIT_CAUSES; i++)
		find_cause(row, (enum wait_cause)i, waits);
	take_explained(waits);
	for (i = 0; i < WAIT_CAUSES; i++)
		waits->total += waits->seconds[i];
}

bool waits_measured(const struct rows *rows, enum wait_cause cause)
{
	const struct cause_kind *kind = &cause_kinds[cause];
	bool measured = kind->has_counter && rows->value_measured[kind->counter];
	size_t i;

	for (i = 0; i < kind->part_count; i++)
		measured |= rows->hist_measured[kind->parts[i].hist];
	return measured;
}

enum wait_cause waits_worst(const struct waits *waits)
{
	enum wait_cause worst = WAIT_CAUSES;
	int i;

	for (i = 0; i < WAIT_CAUSES; i++)
		if (waits->seconds[i] > 0 &&
		    (worst == WAIT_CAUSES || waits->seconds[i] > waits->seconds[worst]))
			worst = (enum wait_cause)i;
	return worst;
}

bool waits_bar(const struct waits *waits, double interval, int cells, int share[WAIT_CAUSES])
{
	double exact[WAIT_CAUSES];
	int i, most, left = cells;

	for (i = 0; i < WAIT_CAUSES; i++)
		share[i] = 0;
	if (waits->total < WAITS_LEAST * interval)
		return false;
	for (i = 0; i < WAIT_CAUSES; i++) {
		exact[i] = waits->seconds[i] / waits->total * cells;
		share[i] = (int)exact[i];
		left -= share[i];
	}
	for (; left > 0; left--) {
		for (i = 1, most = 0; i < WAIT_CAUSES; i++)
			if (exact[i] - share[i] > exact[most] - share[most])
				most = i;
		share[most]++;
	}
	return true;
}
