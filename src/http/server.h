/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The HTTP server: libmicrohttpd, driven by the caller's event loop. It makes no thread: handlers
 * run in http_run(). A request whose password the guard has to check waits for that.
 *
 * Clients cannot make it use unlimited memory: see connections.h, and http_reply_again() for the
 * replies that are under way.
 */
#ifndef BRAMBLE_HTTP_SERVER_H
#define BRAMBLE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/address.h"
#include "http/refusals.h"
#include "http/reply.h"
#include "util/buf.h"

struct guard;
struct http;
struct MHD_Connection;

/* A request, while its handler runs. */
struct http_request {
	const char *path; /* decoded, without the query */
	struct http *http;
	struct MHD_Connection *connection;
	struct connections *connections; /* of which it is one */
};

/* The value of a parameter of the URL, NULL if there is none. Owned by the request. */
const char *http_query(const struct http_request *request, const char *name);

/*
 * Adds the values of a header that is a list. Values from several lines are joined with commas.
 * Returns whether there is such a header.
 */
bool http_header(const struct http_request *request, const char *name, struct buf *out);

/*
 * Reuses a reply. If this returns true, *reply is complete and need not be made. Set the content
 * type, gzip, negotiated and kind before the call.
 *
 * Requests for the same kind that are served in the same turn of http_run() share one body, which
 * is as new as the last of them. If the bodies that clients have not taken yet exceed a limit, the
 * slow clients are cut off. The others get the last body of the kind if it is at most a second old,
 * and otherwise 503.
 */
bool http_reply_again(const struct http_request *request, struct http_reply *reply);

/* Fills in the reply to GET (or HEAD) of a path. If it sets nothing, the reply is 404. */
typedef void (*http_handler)(void *context, const struct http_request *request,
			     struct http_reply *reply);

/*
 * Makes a server that listens nowhere yet. guard says who is let in, except on Unix sockets. It
 * must outlive the server. NULL lets everybody in. Returns NULL if memory ran out.
 */
struct http *http_new(http_handler handler, void *context, struct guard *guard);

/* Ends all connections, removes the Unix sockets, frees the server. */
void http_free(struct http *http);

/* Listens as listen_tcp() does. Returns 0 or a negative errno; nothing is logged. */
int http_listen(struct http *http, struct address *address);

/*
 * Listens as listen_unix() does. Everyone who may open the socket is let in, without TLS and
 * without a password. Returns 0 or a negative errno; nothing is logged.
 */
int http_listen_unix(struct http *http, const char *path);

/* A descriptor that is readable when http_run() has something to do. There is one for each
 * listening place, and one for the guard: i counts from 0, and the result is -1 after the last. */
int http_event_fd(const struct http *http, size_t i);

/* Serves what there is to serve, without blocking. Returns 0, or -EIO if it cannot wait for
 * clients any more. */
int http_run(struct http *http);

/* Clients that were turned away. */
const struct refusals *http_refusals(const struct http *http);

/* Milliseconds until http_run() must be called at the latest, -1: no need. */
int http_timeout_ms(const struct http *http);

#endif
