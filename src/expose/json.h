/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The counts of all owners as JSON, for `bramble top` and other programs:
 * docs/api.md describes it.
 */
#ifndef BRAMBLE_JSON_H
#define BRAMBLE_JSON_H

#include "metrics/collector.h"

/* Returns a string that the caller frees, or NULL if memory ran out. */
char *json_containers(const struct collector *collector);

/*
 * The same for some owners, whose counts are of this time (CLOCK_MONOTONIC). Without a
 * collector (NULL), which knows of the probes and the node, there is nothing of these.
 */
char *json_owners(const struct owners *owners, const struct collector *collector, uint64_t time_ns);

#endif
