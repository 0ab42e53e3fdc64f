/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this program itself uses: the process_* families that every Prometheus
 * client library has, read from /proc/self.
 */
#ifndef BRAMBLE_SELF_H
#define BRAMBLE_SELF_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/families.h"
#include "util/wall.h"

struct self {
	uint64_t value[FAMILIES]; /* ns, bytes or a number, as the family says */
	bool known[FAMILIES];
};

void self_read(struct self *self, const struct wall *wall);

/* Whether the family has a value. True for families of SCOPE_SELF that are not process_*. */
bool self_known(const struct self *self, enum family_id id);
uint64_t self_value(const struct self *self, enum family_id id);

#endif
