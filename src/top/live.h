/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TOP_LIVE_H
#define BRAMBLE_TOP_LIVE_H

#include "top/top.h"

/*
 * Runs the live view until the user or a signal ends it. If serve goes away, it waits for it.
 * Returns 0, or a negative errno after the reason has been logged.
 */
int live_run(const struct top_options *options, struct source *source);

#endif
