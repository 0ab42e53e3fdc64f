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

struct family_pattern {
	const char *expression; /* an extended regular expression for whole names; NULL: none */
	const char *flag;	/* how it was given, for errors: "--metrics.include" */
};

/*
 * Drops the families whose name does not match include, and those whose name matches exclude.
 * Returns 0; -ENOMEM; or -EINVAL, with one line in error, if an expression is invalid or leaves no
 * family.
 */
int filter_set(struct family_filter *filter, const struct family_pattern *include,
	       const struct family_pattern *exclude, char *error, size_t error_size);

#endif
