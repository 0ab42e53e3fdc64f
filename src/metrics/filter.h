/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which families are exported: --metrics.include and --metrics.exclude. */
#ifndef BRAMBLE_FILTER_H
#define BRAMBLE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/families.h"

struct family_filter {
	bool dropped[FAMILIES];
};

/*
 * Drops the families whose whole name does not match include, and those whose whole name matches
 * exclude. Both are extended regular expressions, or NULL. Returns 0; -ENOMEM; or -EINVAL, with one
 * line in error, if an expression is invalid or leaves no family.
 */
int filter_set(struct family_filter *filter, const char *include, const char *exclude, char *error,
	       size_t error_size);

#endif
