/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One place to listen at: a daemon of libmicrohttpd, who may connect to it, and TLS. What is done
 * with requests is up to the handlers.
 */
#ifndef BRAMBLE_LISTENER_H
#define BRAMBLE_LISTENER_H

#include <microhttpd.h>

#include "http/connections.h"
#include "http/guard.h"
#include "http/socket_file.h"

struct http;

struct listener {
	struct http *http;	  /* for the handlers */
	struct guard *guard;	  /* NULL: all are let in. A Unix socket's mode does it, too */
	struct socket_file *file; /* NULL: not a Unix socket */
	struct connections *connections;
	struct MHD_Daemon *daemon;
	struct listener *next;
};

/* What libmicrohttpd calls for a request, with the listener as the context. */
struct listener_handlers {
	/* Its first line has come. What this returns is the state of the other two. */
	void *(*target)(void *listener, const char *target, struct MHD_Connection *connection);
	MHD_AccessHandlerCallback request;
	MHD_RequestCompletedCallback completed;
};

/*
 * Serves on a listening socket, as wanted says; its daemon is set here. The listener owns the
 * socket and the file, and closes and removes them, also if it cannot be made: then NULL.
 */
struct listener *listener_new(const struct listener *wanted,
			      const struct listener_handlers *handlers, int fd);

/* Ends its connections. */
void listener_free(struct listener *listener);

/* Readable when listener_run() has something to do; -1: it cannot be waited for. */
int listener_event_fd(const struct listener *listener);

/* Serves what there is to serve, without blocking. Returns 0 or -EIO. */
int listener_run(const struct listener *listener);

/* Milliseconds until listener_run() must be called at the latest; -1: no need. */
int listener_timeout_ms(const struct listener *listener);

/* What is known of a connection; NULL: it was closed at once, for want of memory. */
struct connection *listener_connection(struct MHD_Connection *connection);

#endif
