/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The connections of the HTTP server and how long each may take, so that none holds on to
 * memory or to a place for ever. A client is cut off that has sent no whole request
 * CONNECTION_WAIT_S after it connected or was answered last, or that has not taken its reply
 * after CONNECTION_REPLY_S, whatever it does meanwhile. If there are many, the one that
 * has waited longest goes.
 *
 * Cutting off is shutdown(): whoever serves the socket sees its end and removes it here.
 * Times are of CLOCK_MONOTONIC.
 */
#ifndef BRAMBLE_CONNECTIONS_H
#define BRAMBLE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNECTION_WAIT_S  90 /* longer than most scrape intervals: connections are kept alive */
#define CONNECTION_REPLY_S 30
#define CONNECTIONS_MAX	   64

struct tls;

struct connection {
	int fd;
	bool replying;
	bool cut;
	struct tls *tls;   /* what it was secured with, or NULL; not touched here */
	uint64_t since_ns; /* that it waits or replies */
	struct connection *prev, *next;
};

/* Each list in the order of since_ns. */
struct connections {
	struct connection *waiting;
	struct connection *replying;
	size_t count;
};

/* A new connection, which waits for its first request. NULL if memory ran out. */
struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns);

/* Its socket is about to be closed. Frees it. */
void connections_remove(struct connections *all, struct connection *connection);

/* It sends a reply from now on; or it waits for the next request. */
void connections_set_replying(struct connections *all, struct connection *connection, bool replying,
			      uint64_t now_ns);

/* Cuts off those whose time is over. */
void connections_expire(struct connections *all, uint64_t now_ns);

/* Cuts off those that have been taking a reply for this long or longer. */
void connections_cut_slow(struct connections *all, uint64_t slow_ns, uint64_t now_ns);

/* Milliseconds until connections_expire() has something to do, rounded up; -1: nothing. */
int connections_timeout_ms(const struct connections *all, uint64_t now_ns);

#endif
