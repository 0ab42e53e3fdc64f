/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TOP_H
#define BRAMBLE_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "top/rows.h"
#include "top/source.h"

struct top_options {
	collector_options_fn collector_options; /* for a probe of its own */
	const char *socket;
	uint64_t interval_ns;
	const char *filter; /* an extended regular expression, or NULL */
	enum top_sort sort;
	bool once;
	bool json;
};

/*
 * Prints who waited for a CPU, and because of whom: after one interval (once),
 * or after each until SIGINT. Returns 0, or a negative errno after the reason
 * has been logged.
 */
int top_run(const struct top_options *options);

#endif
