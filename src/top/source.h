/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where `bramble top` gets its counts from: a running serve, through its Unix
 * socket, or else a probe of its own. Both speak the same JSON: docs/api.md.
 */
#ifndef BRAMBLE_TOP_SOURCE_H
#define BRAMBLE_TOP_SOURCE_H

#include <jansson.h>

#include "metrics/collector.h"

struct source;

/* Gives the options of a probe. Returns 0, or a negative errno after the reason has been logged. */
typedef int (*collector_options_fn)(struct collector_options *options);

/*
 * Opens a source: what serves the socket, or, if nobody does, a probe with
 * the options that are asked for then. Returns 0, and *out is to be given to source_close(), or a
 * negative errno after the reason has been logged.
 */
int source_open(const char *socket, collector_options_fn get_options, struct source **out);
void source_close(struct source *source);

/* Waits for at most so long, or until a signal; a probe of its own learns of names meanwhile. */
void source_wait(struct source *source, uint64_t ns);

/* The counts of now. The caller decrefs them. NULL after the reason has been logged. */
json_t *source_read(struct source *source);

#endif
