/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The events of a container: what happened in an interval that deserves a line in a list. */
#ifndef BRAMBLE_HAPPENINGS_H
#define BRAMBLE_HAPPENINGS_H

#include <stdbool.h>

#include "diagnose/finding.h"

/* What was told before. All zeros at first. */
struct happenings {
	bool fresh; /* it was not there before */
	bool waits[WAIT_CAUSES];
};

typedef void (*happening_fn)(void *context, const char *text);

/* Calls each for every event of a container in the interval of a finding. */
void happenings_find(struct happenings *state, const struct finding *finding, happening_fn each,
		     void *context);

#endif
