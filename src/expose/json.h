/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The counts of all owners as JSON, for `bramble top` and other programs:
 * docs/api.md describes it.
 */
#ifndef BRAMBLE_JSON_H
#define BRAMBLE_JSON_H

#include "metrics/scrape.h"

/*
 * The counts of a scrape's owners, which are of this time (CLOCK_MONOTONIC), and what it has of
 * the node and the probes. Returns a string that the caller frees, or NULL if memory ran out.
 */
char *json_containers(const struct scrape *scrape, uint64_t time_ns);

#endif
