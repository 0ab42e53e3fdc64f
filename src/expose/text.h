/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Prometheus text format, version 0.0.4.
 */
#ifndef BRAMBLE_TEXT_H
#define BRAMBLE_TEXT_H

#include <stdint.h>

#include "metrics/collector.h"
#include "util/buf.h"

/* Time spent on scrapes so far. */
struct scrape_times {
	uint64_t count;
	uint64_t sum_ns;
};

/*
 * Writes all families. The collector should have been updated. If memory runs
 * out, buf_failed(out) tells.
 */
void text_write(struct buf *out, const struct collector *collector,
		const struct scrape_times *scrapes);

/* Writes the families of owners alone, which stand first. */
void text_write_owners(struct buf *out, const struct owners *owners);

#endif
