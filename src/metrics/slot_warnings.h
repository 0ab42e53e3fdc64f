/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an operator is told when slots run short. Strangers can cause it. So each message comes at
 * most once a minute. One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_SLOT_WARNINGS_H
#define BRAMBLE_METRICS_SLOT_WARNINGS_H

#include <stdint.h>

#include "probe/probe.h"

struct slot_warnings {
	uint64_t overflow_ns; /* CLOCK_MONOTONIC, when overflows were last told; 0: never */
	uint64_t overflows;   /* look-ups without a slot by then */
};

/* What helps if there are too few slots: words for the end of a message. */
#define SLOT_REMEDY_SIZE 48
void slot_warnings_remedy(char remedy[SLOT_REMEDY_SIZE], unsigned int slots);

/* Tells if samples had to be counted for unit="overflow". Call it every few seconds; cheap. */
void slot_warnings_look(struct slot_warnings *warnings, const struct probe *probe, uint64_t now_ns);

#endif
