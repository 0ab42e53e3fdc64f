/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What happened to a container, interval by interval: what is worth a line in a list of events. */
#ifndef BRAMBLE_HAPPENINGS_H
#define BRAMBLE_HAPPENINGS_H

#include <stdbool.h>

#include "diagnose/finding.h"

/* What was said already. Zeros to begin with. */
struct happenings {
	bool fresh; /* it was not there before */
	bool waits[WAIT_CAUSES];
};

typedef void (*happening_fn)(void *context, const char *text);

/* Calls each with what happened to a container in the interval of a finding. */
void happenings_find(struct happenings *state, const struct finding *finding, happening_fn each,
		     void *context);

#endif
