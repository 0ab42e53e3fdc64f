/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The HTTP server: libmicrohttpd, driven by the caller's event loop. No thread
 * is made: handlers run in http_run().
 */
#ifndef BRAMBLE_HTTP_H
#define BRAMBLE_HTTP_H

#include <stddef.h>

#include "cli/address.h"

/* What a handler answers. body is freed by the server. */
struct http_reply {
	unsigned int status;
	const char *content_type; /* static */
	char *body;		  /* NULL: memory ran out, which is answered with 500 */
	size_t len;
};

/* Fills in the reply to GET (or HEAD) of a path. Unset, it is 404. */
typedef void (*http_handler)(void *context, const char *path, struct http_reply *reply);

struct http;

/* Makes a server that listens nowhere yet. NULL if memory ran out. */
struct http *http_new(http_handler handler, void *context);

/* Ends all connections, removes the Unix sockets, frees the server. */
void http_free(struct http *http);

/*
 * Listens on an address. Port 0 is replaced by the one the kernel chose. On an
 * IPv6 address without a host, IPv4 is served too. Returns 0 or a negative
 * errno; nothing is logged.
 */
int http_listen(struct http *http, struct address *address);

/*
 * Listens on a Unix socket, readable and writable for owner and group. Its
 * directory is made if need be; a socket that a dead process left is replaced.
 * Returns 0, or a negative errno: -EADDRINUSE if another process serves there,
 * -EEXIST if there is a file that is no socket.
 * Nothing is logged.
 */
int http_listen_unix(struct http *http, const char *path);

/* Readable when http_run() has something to do. One per listening place; i from 0, -1 after the
 * last. */
int http_event_fd(const struct http *http, size_t i);

/* Serves what there is to serve, without blocking. */
void http_run(struct http *http);

/* Milliseconds until http_run() must be called at the latest, -1: no need. */
int http_timeout_ms(const struct http *http);

#endif
