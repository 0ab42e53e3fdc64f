/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is worth a line among the events of a container, told from its intervals one by one. */
#ifndef BRAMBLE_HAPPENINGS_H
#define BRAMBLE_HAPPENINGS_H

#include <stdbool.h>

#include "diagnose/rows.h"
#include "diagnose/waits.h"

/* What was said already. Zeros to begin with. */
struct happenings {
	bool fresh; /* it was not there before */
	bool waits[WAIT_CAUSES];
};

typedef void (*happening_fn)(void *context, const char *text);

/* Calls each with what happened to a container in an interval. */
void happenings_find(struct happenings *state, const struct rows *rows, const struct row *row,
		     happening_fn each, void *context);

#endif
