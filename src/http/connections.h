/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The connections of the HTTP server: how many there may be and how long each may take, so that
 * none holds memory or a place for ever, and no client takes the others' places.
 *
 * A client is cut off, whatever it does meanwhile, if
 *  - it has sent no whole request CONNECTION_REQUEST_S after it connected or began one,
 *  - or none CONNECTION_IDLE_S after its last reply,
 *  - or it has not taken its reply after CONNECTION_REPLY_S.
 *
 * Clients of one network (http/network.h) share its bounds. If there are too many connections, one
 * of the network that has most of them gives way: an unfinished request before an idle connection,
 * that before a reply that is not taken, and the oldest of its kind first. A new connection of that
 * network itself is refused if nothing else can give way. A client that was let in, and took a
 * whole reply, keeps its place, as far as there are places to be kept.
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
#include "http/budget.h"
#include "http/network.h"
#include "http/refusals.h"
#include "http/tls.h"

#define CONNECTION_REQUEST_S 5
#define CONNECTION_IDLE_S    90 /* longer than most scrape intervals: connections are kept alive */
#define CONNECTION_REPLY_S   30
#define CONNECTION_WAIT_S    30 /* longer than AUTH_WAIT_S */
#define CONNECTION_SLOW_S    5	/* a reply that takes longer gives way to others */

enum connection_state {
	CONNECTION_REQUEST, /* waits for a whole request: the first, or one that has begun */
	CONNECTION_IDLE,    /* waits for another one */
	CONNECTION_REPLY,
	CONNECTION_WAIT, /* its password is being checked */
	CONNECTION_STATES,
};

/* How many connections there may be. */
struct connection_bounds {
	unsigned int all, per_network;
	unsigned int unfinished, unfinished_per_network; /* requests; handshakes before them */
	unsigned int kept, kept_per_network;		 /* for those who were let in */
};

/*
 * On TCP. Several Prometheus and Grafana behind one address (NAT, kube-proxy) are far below what
 * one network may have, and a third of the places is for the other networks.
 */
extern const struct connection_bounds connections_tcp;

/* On the Unix socket, whose clients have no address. */
extern const struct connection_bounds connections_unix;

struct connection {
	int fd;
	enum connection_state state;
	bool plain; /* it is to begin with HTTP */
	bool cut;
	bool kept;
	bool served;		 /* a request of it */
	struct tls_session *tls; /* what it was secured with, or NULL */
	char client[ADDRESS_TEXT_MAX];
	unsigned char network[NETWORK_SIZE];
	uint64_t since_ns; /* that it is in this state */
	struct connection *prev, *next;
};

/* A list for each state, in the order of since_ns. Zero at first but for bounds and refusals. */
struct connections {
	const struct connection_bounds *bounds;
	struct refusals *refusals;
	struct connection *in[CONNECTION_STATES];
	size_t count;	 /* with those that were cut off, and are not closed yet */
	bool handshakes; /* connections begin with one, of which each network has a budget */
	struct budget budget;
};

/*
 * Whether a client that wants to connect may. Another connection may be cut off for it. If not,
 * that is counted as a refusal. from: its address.
 */
bool connections_admit(struct connections *all, const struct sockaddr *from, uint64_t now_ns);

/* A new connection that was admitted. It waits for its first request. NULL if memory ran out. */
struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns);

/* Frees a connection whose socket is about to be closed. Reports why, if it was refused. */
void connections_remove(struct connections *all, struct connection *connection, uint64_t now_ns);

/* Looks at the data that has come, before it is read. If the connection has ended, it is cut off.
 * If it begins with TLS where HTTP is expected, it gets an answer and is cut off. */
void connections_look(struct connections *all, struct connection *connection, uint64_t now_ns);

/* The connection sends a reply from now on, or waits for the next request. */
void connections_set_state(struct connections *all, struct connection *connection,
			   enum connection_state state, uint64_t now_ns);

/* A client that was let in has taken a whole reply: its place is kept, if there is one to keep. */
void connections_keep(struct connections *all, struct connection *connection);

/* Cuts off connections whose time is over. Also waiting ones whose client has gone, or speaks
 * another protocol. */
void connections_expire(struct connections *all, uint64_t now_ns);

/* Cuts off connections that have been taking a reply for CONNECTION_SLOW_S or longer. */
void connections_cut_slow(struct connections *all, uint64_t now_ns);

/*
 * The memory for replies is used up. The oldest reply of the network that has most of them under
 * way gives way, if the asker's network has fewer. Returns whether the asker may have one all the
 * same: its network has none under way.
 */
bool connections_make_way(struct connections *all, const struct connection *asker, uint64_t now_ns);

/* Milliseconds until connections_expire() has something to do, rounded up; -1: nothing. */
int connections_timeout_ms(const struct connections *all, uint64_t now_ns);

#endif
