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

/* Fills in the options of a probe. Returns 0, or a negative errno after the reason was logged. */
typedef int (*collector_options_fn)(struct collector_options *options);

struct source_options {
	const char *socket; /* "": no serve is asked */
	collector_options_fn collector_options;
	bool live; /* standard error is a terminal, where somebody can press Ctrl-C */
	const volatile sig_atomic_t *stopped; /* set by a signal, which ends any waiting */
};

/*
 * Opens a source: the serve that listens on the socket, or a probe of its own if nobody listens.
 * Only then are the probe's options asked for. If somebody listens, no second probe is loaded,
 * however long the answer takes. Returns 0, and the caller gives *out to source_close(); -EINTR if
 * it was stopped; or another negative errno after the reason was logged. The options must outlive
 * the source.
 */
int source_open(const struct source_options *options, struct source **out);
void source_close(struct source *source);

/* Where the counts come from, in words: "serve at PATH", "a probe of its own". */
const char *source_name(const struct source *source);

/* Asks for the present counts. Gives up an earlier request. */
void source_ask(struct source *source);

/*
 * Waits for the answer or for one of the descriptors, at most timeout_ms (negative: without end).
 * Sets their revents. Returns 1 if the answer is there.
 */
int source_wait(struct source *source, struct pollfd *fds, unsigned int count, int timeout_ms);

/*
 * Asks and waits for the answer: without end in a live view, else for a minute. Logs after two
 * seconds that serve is busy. Returns 0, and the caller gives *reading to reading_free(); -EINTR;
 * or another negative errno: source_error() says why.
 */
int source_read(struct source *source, struct reading *reading);

/*
 * Whether serve listens, but has not answered for two seconds, has a full queue, or answered that
 * it has too many requests (HTTP 503).
 */
bool source_is_busy(const struct source *source);

/* Whether the last request failed because nobody listens any more, or because the connection broke.
 */
bool source_is_gone(const struct source *source);

/*
 * Takes the answer when source_wait() has returned 1. Returns 0, and the caller gives *reading to
 * reading_free(); or a negative errno: source_error() says why. The next request may succeed.
 */
int source_take(struct source *source, struct reading *reading);
const char *source_error(const struct source *source);

#endif
