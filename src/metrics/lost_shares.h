/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What share of the last minute containers and units have lost, and to what. It is judged further
 * up (src/diagnose) and only shown here, as one family.
 */
#ifndef BRAMBLE_LOST_SHARES_H
#define BRAMBLE_LOST_SHARES_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/owners.h"

struct lost_share {
	const char *cause; /* static */
	struct labels who, by;
	bool has_by;
	double share; /* 0 to 1 */
};

struct lost_shares {
	struct lost_share *list; /* no two with the same cause and labels */
	size_t count;
};

#endif
