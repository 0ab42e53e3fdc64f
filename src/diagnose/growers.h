/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who took more memory between two readings. */
#ifndef BRAMBLE_GROWERS_H
#define BRAMBLE_GROWERS_H

#include <stddef.h>

#include "diagnose/reading.h"
#include "diagnose/rows.h"

#define GROWERS_MAX 3

struct grower {
	char name[ROW_NAME_SIZE];     /* as of a row of ROW_LEVEL_CONTAINER */
	struct reading_labels labels; /* of the second reading, which must outlive it */
	double bytes;		      /* by which its working set grew; at least LEVEL_GROWTH */
};

/* The worst first. */
struct growers {
	struct grower list[GROWERS_MAX];
	size_t count;
};

/* Without the memory controller there are none. */
void growers_find(const struct reading *before, const struct reading *now, struct growers *out);

#endif
