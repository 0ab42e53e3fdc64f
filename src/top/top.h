/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TOP_H
#define BRAMBLE_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "top/columns.h"
#include "diagnose/rows.h"
#include "top/source.h"

struct top_options {
	collector_options_fn collector_options; /* for a probe of its own */
	const char *socket;
	uint64_t interval_ns;
	const char *filter; /* an extended regular expression, or NULL */
	enum column_id sort;
	enum row_level level;
	uint64_t batch; /* how many tables to print; 0: a live view if there is a terminal */
	bool once;	/* batch of 1 */
	bool json;
	bool ascii; /* only ASCII on the screen */
	bool mouse; /* clicks select rows. The terminal's own selection needs Shift then */
};

/*
 * Shows who waited, and for what: live, or printed after each interval, until there are as many as
 * were asked for, or SIGINT or SIGTERM. Returns 0, or a negative errno after the reason was logged.
 */
int top_run(const struct top_options *options);

#endif
