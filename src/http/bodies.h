/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The bodies of replies that are under way. Requests that are served in the same turn of the event
 * loop share a body. The size of all bodies together is limited.
 */
#ifndef BRAMBLE_BODIES_H
#define BRAMBLE_BODIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bodies;

/* The bytes of a reply, and how many connections they are sent to. */
struct http_body {
	struct bodies *all;
	char *data;
	size_t len;
	unsigned int refs; /* connections; and the turn it was made in, if it may be shared */
	unsigned int kind; /* 0: not to be shared */
	uint64_t turn;
	uint64_t made_ns; /* CLOCK_MONOTONIC */
	struct http_body *prev, *next;
};

/* All zero at first. */
struct bodies {
	struct http_body *list; /* the newest first */
	size_t bytes;
	uint64_t turn;
};

/* Makes a body, which nobody is sent yet. Owns the bytes. If memory runs out, frees them: NULL. */
struct http_body *body_new(struct bodies *all, char *data, size_t len, unsigned int kind);

/* One connection fewer that the body is sent to. The last one frees it. */
void body_unref(void *body);

/* The newest of a kind, or NULL. */
struct http_body *bodies_find(const struct bodies *all, unsigned int kind);

/* The turn is over. Bodies that were made in it are no longer shared. */
void bodies_end_turn(struct bodies *all);

#endif
