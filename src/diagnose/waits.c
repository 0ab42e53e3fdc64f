/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/waits.h"

#include <math.h>

const char *const wait_names[WAIT_CAUSES] = {
	[WAIT_CPU] = "CPU",	    [WAIT_THROTTLED] = "throttled", [WAIT_DISK] = "disk",
	[WAIT_FSYNC] = "fsync",	    [WAIT_NETWORK] = "network",	    [WAIT_MEMORY] = "memory",
	[WAIT_BLOCKED] = "blocked",
};

const char wait_letters[WAIT_CAUSES] = {
	[WAIT_CPU] = 'C',     [WAIT_THROTTLED] = 'T', [WAIT_DISK] = 'D',    [WAIT_FSYNC] = 'F',
	[WAIT_NETWORK] = 'N', [WAIT_MEMORY] = 'M',    [WAIT_BLOCKED] = 'B',
};

static void add_hist(struct waits *waits, enum wait_cause cause, const struct row_hist *hist)
{
	waits->known[cause] |= hist->known;
	waits->seconds[cause] += hist->inside_seconds;
}

/* All others are known. */
static void add_blocked(struct waits *waits, const struct row_hist *blocked)
{
	double explained = waits->seconds[WAIT_DISK] + waits->seconds[WAIT_FSYNC] +
			   waits->seconds[WAIT_MEMORY];

	add_hist(waits, WAIT_BLOCKED, blocked);
	waits->seconds[WAIT_BLOCKED] = fmax(waits->seconds[WAIT_BLOCKED] - explained, 0);
}

void waits_find(const struct row *row, struct waits *waits)
{
	int i;

	*waits = (struct waits){0};
	add_hist(waits, WAIT_CPU, &row->hist[SIGNAL_CPU_WAIT]);
	waits->known[WAIT_THROTTLED] = row->value_known[SIGNAL_CPU_THROTTLED];
	waits->seconds[WAIT_THROTTLED] = row->value[SIGNAL_CPU_THROTTLED];
	add_hist(waits, WAIT_DISK, &row->hist[SIGNAL_BLOCK_READ]);
	add_hist(waits, WAIT_DISK, &row->hist[SIGNAL_QUEUE_READ]);
	add_hist(waits, WAIT_FSYNC, &row->hist[SIGNAL_FSYNC]);
	add_hist(waits, WAIT_NETWORK, &row->hist[SIGNAL_RESPONSE_CLIENT]);
	add_hist(waits, WAIT_NETWORK, &row->hist[SIGNAL_CONNECT]);
	add_hist(waits, WAIT_MEMORY, &row->hist[SIGNAL_MEMORY_STALL]);
	/* Without the memory probe, the kernel's pressure may tell how long it stalled. */
	if (!waits->known[WAIT_MEMORY] && row->value_known[SIGNAL_PRESSURE_MEMORY]) {
		waits->known[WAIT_MEMORY] = true;
		waits->seconds[WAIT_MEMORY] = row->value[SIGNAL_PRESSURE_MEMORY];
	}
	add_blocked(waits, &row->hist[SIGNAL_BLOCKED]);
	for (i = 0; i < WAIT_CAUSES; i++)
		waits->total += waits->seconds[i];
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
