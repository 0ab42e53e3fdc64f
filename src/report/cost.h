/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the probe adds to a context switch and to an exchange over TCP, beside the least that any
 * probe adds: one clock read at each event. Two processes on one CPU take turns.
 */
#ifndef BRAMBLE_REPORT_COST_H
#define BRAMBLE_REPORT_COST_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/options.h"

enum cost_of {
	COST_SWITCH,   /* a byte through a pipe: one wakeup and one switch */
	COST_EXCHANGE, /* 40 bytes over a loopback connection, and 8 back */
};

/* Nanoseconds. Medians, and the quartiles of what is added. */
struct cost {
	double without;
	double floor, bramble;
	double floor_low, floor_high, bramble_low, bramble_high;
	int rounds;
	bool alone; /* nothing else could get on the CPU in between (SCHED_FIFO) */
};

/*
 * Measures in rounds, each of them without a probe, with the floor, and with the probe, until
 * until_ns (CLOCK_MONOTONIC); three rounds at least. The probe is that of the switch or of TCP
 * alone. options: which hooks, where tracefs is. Returns 0 or a negative errno after the reason was
 * logged.
 */
int cost_measure(enum cost_of what, const struct probe_options *options, uint64_t until_ns,
		 struct cost *cost);

/* Whether what is added can be told from chance: in three rounds of four it took time at all. */
bool cost_is_steady(const struct cost *cost);

#endif
