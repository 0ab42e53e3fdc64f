/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The HTTP server: libmicrohttpd, driven by the caller's event loop. No thread
 * is made: handlers run in http_run().
 *
 * Clients cannot make it hold memory without bound: see connections.h, and
 * http_reply_again() for the replies that are under way.
 */
#ifndef BRAMBLE_HTTP_SERVER_H
#define BRAMBLE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/address.h"
#include "http/refusals.h"
#include "util/buf.h"

struct guard;
struct http;
struct http_body;
struct MHD_Connection;

/* A request, while its handler runs. */
struct http_request {
	const char *path;
	struct http *http;
	struct MHD_Connection *connection;
};

/* The value of a parameter of the URL, NULL if there is none. Owned by the request. */
const char *http_query(const struct http_request *request, const char *name);

/*
 * Adds the values of a header that is a list, with a comma between those of several lines.
 * Returns whether there is such a header.
 */
bool http_header(const struct http_request *request, const char *name, struct buf *out);

/* What a handler answers. */
struct http_reply {
	unsigned int status;
	const char *content_type; /* static */
	char *body; /* freed by the server; NULL: memory ran out, which is answered with 500 */
	size_t len;
	bool gzip;		  /* the body is gzipped */
	bool negotiated;	  /* it depends on Accept and Accept-Encoding */
	unsigned int kind;	  /* see http_reply_again(); 0: not to be shared */
	struct http_body *shared; /* set by http_reply_again() */
};

/*
 * Whether a reply need not be made anew: then *reply is complete. To be asked with the
 * content type, gzip, negotiated and kind set.
 *
 * Requests for the same kind that are served in the same turn of http_run() share one
 * body: it is as new as the last of them. When the bodies that clients have not taken yet
 * exceed a bound, the slow clients are cut off, and the others get the last body of the kind
 * if it is not older than a second, else 503.
 */
bool http_reply_again(const struct http_request *request, struct http_reply *reply);

/* Fills in the reply to GET (or HEAD) of a path. Unset, it is 404. */
typedef void (*http_handler)(void *context, const struct http_request *request,
			     struct http_reply *reply);

/*
 * Makes a server that listens nowhere yet. guard says who is let in, but for Unix sockets; it
 * must outlive the server; NULL: everybody. Returns NULL if memory ran out.
 */
struct http *http_new(http_handler handler, void *context, struct guard *guard);

/* Ends all connections, removes the Unix sockets, frees the server. */
void http_free(struct http *http);

/* Listens as listen_tcp() does. Returns 0 or a negative errno; nothing is logged. */
int http_listen(struct http *http, struct address *address);

/*
 * Listens as listen_unix() does. Who may open the socket is let in: neither TLS nor a
 * password is asked for there. Returns 0 or a negative errno; nothing is logged.
 */
int http_listen_unix(struct http *http, const char *path);

/* Readable when http_run() has something to do. One per listening place; i from 0, -1 after the
 * last. */
int http_event_fd(const struct http *http, size_t i);

/* Serves what there is to serve, without blocking. */
void http_run(struct http *http);

/* Clients that were turned away before they could ask. */
const struct refusals *http_refusals(const struct http *http);

/* Milliseconds until http_run() must be called at the latest, -1: no need. */
int http_timeout_ms(const struct http *http);

#endif
