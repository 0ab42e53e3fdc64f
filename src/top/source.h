/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where `bramble top` gets its readings from: a running serve, through its Unix socket
 * (docs/api.md), or else a probe of its own.
 *
 * A reading is asked for, then waited for together with whatever else the caller waits for, so
 * that a serve that hangs does not keep keys from being read.
 */
#ifndef BRAMBLE_TOP_SOURCE_H
#define BRAMBLE_TOP_SOURCE_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#include "diagnose/reading.h"
#include "metrics/collector.h"

struct source;

/* Gives the options of a probe. Returns 0, or a negative errno after the reason has been logged. */
typedef int (*collector_options_fn)(struct collector_options *options);

struct source_options {
	const char *socket; /* "": none is asked */
	collector_options_fn collector_options;
	bool live; /* standard error is a terminal, with somebody before it who can press Ctrl-C */
	const volatile sig_atomic_t *stopped; /* set by a signal: waiting ends */
};

/*
 * Opens a source: what serves the socket, or, if nobody does, a probe with
 * the options that are asked for then. Where somebody listens no second probe is loaded, however
 * long he takes to answer. Returns 0, and *out is to be given to source_close(), -EINTR if it was
 * stopped, or another negative errno after the reason has been logged. The options must outlive it.
 */
int source_open(const struct source_options *options, struct source **out);
void source_close(struct source *source);

/* Whose counts these are, in words: "serve at PATH", "a probe of its own". */
const char *source_name(const struct source *source);

/* Asks for the counts of now. What was asked for before is given up. */
void source_ask(struct source *source);

/*
 * Waits for at most timeout_ms (negative: without end) for the answer, or for one
 * of the descriptors: their revents are set. Returns 1 if the answer is there.
 */
int source_wait(struct source *source, struct pollfd *fds, unsigned int count, int timeout_ms);

/*
 * Asks, and waits for the answer: without end in a live view, for a minute else, and says after two
 * seconds that serve is busy. Returns 0, and the caller gives *reading to reading_free();
 * -EINTR; or another negative errno: source_error() says why.
 */
int source_read(struct source *source, struct reading *reading);

/*
 * Whether somebody listens, but has not answered for two seconds, has too many waiting, or answered
 * that he has too many to answer (HTTP 503).
 */
bool source_is_busy(const struct source *source);

/* Whether the last answer failed as nobody listens any more, or as the connection broke. */
bool source_is_gone(const struct source *source);

/*
 * Takes the answer that source_wait() told of. Returns 0, and the caller
 * gives *reading to reading_free(), or a negative errno: source_error() says why, and the next
 * answer may be there again.
 */
int source_take(struct source *source, struct reading *reading);
const char *source_error(const struct source *source);

#endif
