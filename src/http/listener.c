/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/listener.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include "http/exchange.h"
#include "http/first_bytes.h"
#include "util/clock.h"
#include "util/log.h"

#define CONNECTION_MEMORY (16 * 1024) /* for one request's header; longer ones are refused */

struct connection *listener_connection(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result on_accept(void *context, const struct sockaddr *from, socklen_t len)
{
	const struct listener *listener = context;

	(void)len;
	return connections_admit(listener->connections, from, clock_monotonic_ns()) ? MHD_YES
										    : MHD_NO;
}

/* Sets up TLS before the handshake. Returns whether the connection may go on. */
static bool secure(const struct listener *listener, struct MHD_Connection *connection,
		   struct connection *known)
{
	struct guard *guard = listener->guard;
	const union MHD_ConnectionInfo *info;

	if (guard)
		guard_refresh(guard, clock_monotonic_ns());
	known->plain = !listener->file && !(guard && guard_tls(guard));
	if (!guard || !guard_tls(guard))
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	known->tls = info ? tls_begin(guard_tls(guard), info->tls_session, known->fd) : NULL;
	return known->tls != NULL;
}

static void on_start(const struct listener *listener, struct MHD_Connection *connection,
		     void **known)
{
	struct connections *all = listener->connections;
	uint64_t now_ns = clock_monotonic_ns();
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct connection *added;

	if (!info)
		return;
	added = connections_add(all, info->connect_fd, now_ns);
	*known = added;
	/* A connection that cannot be tracked or secured is closed at once. */
	if (!added || !secure(listener, connection, added))
		shutdown(info->connect_fd, SHUT_RDWR);
	else
		connections_look(all, added, now_ns);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **known,
			  enum MHD_ConnectionNotificationCode what)
{
	const struct listener *listener = context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		on_start(listener, connection, known);
	} else if (*known) {
		socket_drain(((struct connection *)*known)->fd);
		connections_remove(listener->connections, *known, clock_monotonic_ns());
		*known = NULL;
	}
}

static void on_message(void *context, const char *format, va_list args)
{
	char line[512];

	(void)context;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/* libmicrohttpd wants a certificate to start with; each connection gets its own in secure(). */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *ca, int ca_count,
			  const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
			  gnutls_pcert_st **certificates, unsigned int *count,
			  gnutls_privkey_t *key)
{
	(void)session;
	(void)ca;
	(void)ca_count;
	(void)algorithms;
	(void)algorithm_count;
	(void)certificates;
	(void)count;
	(void)key;
	return -1;
}

static struct MHD_Daemon *start_daemon(struct listener *listener,
				       const struct listener_handlers *handlers, int fd)
{
	struct guard *guard = listener->guard;
	bool tls = guard && guard_tls(guard);
	struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)no_certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	/* Twice the connections that there may be: those that were cut off are still there. */
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0U) |
			(guard ? MHD_ALLOW_SUSPEND_RESUME : 0U),
		0, on_accept, listener, handlers->request, listener, MHD_OPTION_EXTERNAL_LOGGER,
		on_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		2 * listener->connections->bounds->all, EXCHANGE_STRICT_OPTION,
		EXCHANGE_STRICT_LEVEL, MHD_OPTION_URI_LOG_CALLBACK, handlers->target, listener,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
		handlers->completed, listener, MHD_OPTION_ARRAY, tls ? tls_options : no_options,
		MHD_OPTION_END);
}

struct listener *listener_new(const struct listener *wanted,
			      const struct listener_handlers *handlers, int fd)
{
	struct listener *listener = malloc(sizeof(*listener));

	if (listener) {
		*listener = *wanted;
		listener->daemon = start_daemon(listener, handlers, fd);
	}
	if (listener && listener->daemon)
		return listener;
	free(listener);
	close(fd);
	socket_file_remove(wanted->file);
	return NULL;
}

void listener_free(struct listener *listener)
{
	MHD_stop_daemon(listener->daemon);
	socket_file_remove(listener->file);
	free(listener);
}

int listener_event_fd(const struct listener *listener)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

int listener_run(const struct listener *listener)
{
	return MHD_run(listener->daemon) == MHD_YES ? 0 : -EIO;
}

int listener_timeout_ms(const struct listener *listener)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	if (MHD_get_timeout(listener->daemon, &timeout) != MHD_YES)
		return -1;
	return timeout < INT_MAX ? (int)timeout : INT_MAX;
}
