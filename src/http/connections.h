/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The connections of the HTTP server and how long each may take, so that none holds memory or a
 * place for ever. A client is cut off, whatever it does meanwhile, if
 *  - it has sent no whole request CONNECTION_FIRST_S after it connected,
 *  - or none CONNECTION_IDLE_S after its last reply,
 *  - or it has not taken its reply after CONNECTION_REPLY_S.
 * If there are too many connections, the one that has waited longest is cut off.
 *
 * Cutting off means shutdown(). The code that serves the socket then sees its end, and removes the
 * connection here. Times are CLOCK_MONOTONIC.
 */
#ifndef BRAMBLE_CONNECTIONS_H
#define BRAMBLE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/address.h"
#include "http/refusals.h"
#include "http/tls.h"

#define CONNECTION_FIRST_S 10
#define CONNECTION_IDLE_S  90 /* longer than most scrape intervals: connections are kept alive */
#define CONNECTION_REPLY_S 30
#define CONNECTION_WAIT_S  30 /* longer than AUTH_WAIT_S */
#define CONNECTIONS_MAX	   64

enum connection_state {
	CONNECTION_FIRST, /* waits for the first request */
	CONNECTION_IDLE,  /* waits for another one */
	CONNECTION_REPLY,
	CONNECTION_WAIT, /* its password is being checked */
	CONNECTION_STATES,
};

struct connection {
	int fd;
	enum connection_state state;
	bool plain; /* it is to begin with HTTP */
	bool cut;
	struct tls_session *tls; /* what it was secured with, or NULL */
	char client[ADDRESS_TEXT_MAX];
	uint64_t since_ns; /* that it is in this state */
	struct connection *prev, *next;
};

/* A list for each state, in the order of since_ns. */
struct connections {
	struct connection *in[CONNECTION_STATES];
	size_t count;
	struct refusals refusals;
};

/* A new connection, which waits for its first request. NULL if memory ran out. */
struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns);

/* Frees a connection whose socket is about to be closed. Reports why, if it was refused. */
void connections_remove(struct connections *all, struct connection *connection, uint64_t now_ns);

/* Looks at the data that has come, before it is read. If the connection has ended, it is cut off.
 * If it begins with TLS where HTTP is expected, it gets an answer and is cut off. */
void connections_look(struct connections *all, struct connection *connection, uint64_t now_ns);

/* The connection sends a reply from now on, or waits for the next request. */
void connections_set_state(struct connections *all, struct connection *connection,
			   enum connection_state state, uint64_t now_ns);

/* Cuts off connections whose time is over. Also waiting ones whose client has gone, or speaks
 * another protocol. */
void connections_expire(struct connections *all, uint64_t now_ns);

/* Cuts off connections that have been taking a reply for this long or longer. */
void connections_cut_slow(struct connections *all, uint64_t slow_ns, uint64_t now_ns);

/* Milliseconds until connections_expire() has something to do, rounded up; -1: nothing. */
int connections_timeout_ms(const struct connections *all, uint64_t now_ns);

#endif
