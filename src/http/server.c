/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>
#include <utlist.h>

#include "http/bodies.h"
#include "http/connections.h"
#include "http/exchange.h"
#include "http/guard.h"
#include "http/listen.h"
#include "http/listener.h"
#include "http/request.h"
#include "util/clock.h"
#include "util/log.h"

/*
 * The size of bodies that clients have not taken yet, beyond which no new ones are made. Beyond it,
 * slow clients are cut off, and bodies up to this old are sent.
 */
#define BODIES_MAX (8UL * 1024 * 1024)
#define STALE_NS   NS_PER_S

struct http {
	http_handler handler;
	void *context;
	struct guard *guard; /* or NULL */
	struct listener *listeners;
	struct connections tcp, local; /* on TCP; on Unix sockets */
	struct refusals refusals;
	struct bodies bodies;
	uint64_t failure_told_ns; /* for reply_send() */
};

struct http *http_new(http_handler handler, void *context, struct guard *guard)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->handler = handler;
	http->context = context;
	http->guard = guard;
	http->tcp.bounds = &connections_tcp;
	http->local.bounds = &connections_unix;
	http->tcp.refusals = http->local.refusals = &http->refusals;
	http->tcp.handshakes = guard && guard_tls(guard);
	return http;
}

/* Goes on with the requests whose passwords were checked. */
static void resume_decided(struct guard *guard)
{
	struct auth_ticket *ticket;

	while ((ticket = guard_decided(guard)))
		MHD_resume_connection(((struct exchange *)ticket)->connection);
}

void http_free(struct http *http)
{
	struct listener *listener, *next;

	if (!http)
		return;
	if (http->guard) {
		guard_drop(http->guard);
		resume_decided(http->guard);
	}
	LL_FOREACH_SAFE(http->listeners, listener, next)
		listener_free(listener);
	free(http);
}

/* ---- replies */

/*
 * Too many bodies are under way. Those of clients that take nothing stay for a while: another
 * client gets its answer meanwhile. That is one body for each network, so it is bounded, too.
 */
static bool make_way(const struct http_request *request, uint64_t now_ns)
{
	const struct connection *asker = listener_connection(request->connection);

	return asker && connections_make_way(request->connections, asker, now_ns) &&
	       request->http->bodies.bytes < 2 * BODIES_MAX;
}

bool http_reply_again(const struct http_request *request, struct http_reply *reply)
{
	struct http *http = request->http;
	uint64_t now_ns = clock_monotonic_ns();
	struct http_body *body = bodies_find(&http->bodies, reply->kind);

	if (!body || body->turn != http->bodies.turn) {
		if (http->bodies.bytes < BODIES_MAX)
			return false;
		connections_cut_slow(&http->tcp, now_ns);
		connections_cut_slow(&http->local, now_ns);
		if (!body || now_ns - body->made_ns > STALE_NS) {
			if (make_way(request, now_ns))
				return false;
			reply_text(reply, MHD_HTTP_SERVICE_UNAVAILABLE,
				   "too many replies are under way; try again\n");
			return true;
		}
	}
	reply->status = MHD_HTTP_OK;
	reply->shared = body;
	return true;
}

/* ---- requests */

const char *http_query(const struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* A header that is looked for, and where its values go. */
struct wanted {
	const char *name;
	struct buf *out;
	bool found;
};

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct wanted *wanted = context;

	(void)kind;
	if (strcasecmp(name, wanted->name) != 0 || !value)
		return MHD_YES;
	if (wanted->found)
		buf_puts(wanted->out, ", ");
	buf_puts(wanted->out, value);
	wanted->found = true;
	return MHD_YES;
}

bool http_header(const struct http_request *request, const char *name, struct buf *out)
{
	struct wanted wanted = {.name = name, .out = out};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_header, &wanted);
	return wanted.found;
}

static void set_state(const struct listener *listener, struct MHD_Connection *connection,
		      enum connection_state state)
{
	struct connection *known = listener_connection(connection);

	if (known)
		connections_set_state(listener->connections, known, state, clock_monotonic_ns());
}

static const struct sockaddr *address_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

/* Asks the guard. If its answer is GUARD_WAIT, the request is suspended. */
static enum guard_verdict ask_guard(struct guard *guard, struct exchange *exchange)
{
	enum guard_verdict verdict;

	guard_refresh(guard, clock_monotonic_ns());
	verdict = guard_admit(guard,
			      MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
							  MHD_HTTP_HEADER_AUTHORIZATION),
			      address_of(exchange->connection), &exchange->ticket,
			      clock_monotonic_ns());
	if (verdict != GUARD_WAIT)
		return verdict;
	exchange->waits = true;
	MHD_suspend_connection(exchange->connection);
	return verdict;
}

/* Answers by the method. */
static void answer(const struct listener *listener, const struct http_request *request,
		   const char *method, struct http_reply *reply)
{
	const struct http *http = listener->http;

	if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0)
		*reply = (struct http_reply){.status = MHD_HTTP_NO_CONTENT, .body = strdup("")};
	else if (!request_method_known(method))
		reply_text(reply, MHD_HTTP_NOT_IMPLEMENTED, "this method is not known\n");
	else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
		 strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		reply_text(reply, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n");
	else
		http->handler(http->context, request, reply);
	if (!reply->status)
		reply_text(reply, MHD_HTTP_NOT_FOUND, "not found; see / for what is here\n");
	if (!reply->body && !reply->shared)
		reply_text(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
}

static void count_refusal(const struct listener *listener, struct MHD_Connection *connection,
			  enum refusal reason, const char *detail)
{
	const struct connection *known = listener_connection(connection);

	refusals_add(&listener->http->refusals, reason, known ? known->client : "?", detail,
		     clock_monotonic_ns());
}

/* Answers a request whose client the guard has judged. */
static void answer_judged(const struct listener *listener, const struct http_request *request,
			  const char *method, enum guard_verdict verdict, struct http_reply *reply)
{
	if (verdict == GUARD_UNAUTHORIZED || verdict == GUARD_TOO_MANY)
		count_refusal(listener, request->connection,
			      verdict == GUARD_TOO_MANY ? REFUSAL_TOO_MANY : REFUSAL_PASSWORD,
			      NULL);
	if (verdict == GUARD_UNAUTHORIZED)
		reply_text(reply, MHD_HTTP_UNAUTHORIZED, "a user and a password are needed\n");
	else if (verdict == GUARD_TOO_MANY)
		reply_text(reply, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests; try again\n");
	else
		answer(listener, request, method, reply);
}

static enum MHD_Result send_reply(const struct listener *listener, struct exchange *exchange,
				  const struct http_reply *reply)
{
	if (!reply->body && !reply->shared)
		return MHD_NO;
	set_state(listener, exchange->connection, CONNECTION_REPLY);
	return reply_send(exchange->connection, reply, &listener->http->bodies, listener->guard,
			  &listener->http->failure_told_ns)
		       ? MHD_YES
		       : MHD_NO;
}

/* The first call for a request, before its body: refuses it if its head is wrong. */
static enum MHD_Result begin(const struct listener *listener, struct exchange *exchange,
			     const char *method, const char *version)
{
	struct http_reply reply;
	const char *fault;
	unsigned int status = exchange_check(exchange, method, version, &fault);
	char text[128];

	if (!status)
		return MHD_YES;
	count_refusal(listener, exchange->connection, REFUSAL_BAD_REQUEST, fault);
	snprintf(text, sizeof(text), "%s\n", fault);
	reply_text(&reply, status, text);
	reply.close = true;
	return send_reply(listener, exchange, &reply);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
				  const char *path, const char *method, const char *version,
				  const char *upload, size_t *upload_size, void **state)
{
	struct listener *listener = context;
	struct guard *guard = listener->guard;
	struct exchange *exchange = *state;
	enum guard_verdict verdict = GUARD_LET_IN;
	struct http_reply reply = {0};

	(void)path;
	(void)upload;
	if (!exchange) /* there was no memory */
		return MHD_NO;
	if (!exchange->checked)
		return begin(listener, exchange, method, version);
	/* The request's body is ignored. */
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	/* The last call comes again after the request has waited. */
	if (exchange->waits)
		verdict = guard_verdict(&exchange->ticket);
	else if (guard)
		verdict = ask_guard(guard, exchange);
	if (verdict == GUARD_WAIT) {
		set_state(listener, connection, CONNECTION_WAIT);
		return MHD_YES;
	}
	answer_judged(listener,
		      &(struct http_request){exchange->path, listener->http, connection,
					     listener->connections},
		      method, verdict, &reply);
	exchange->let_in = verdict == GUARD_LET_IN && reply.status < MHD_HTTP_BAD_REQUEST;
	return send_reply(listener, exchange, &reply);
}

/* The first line of a request has come. What this returns is the state of the others. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	const struct listener *listener = context;
	const struct connection *known = listener_connection(connection);

	/* From now on the request has to come to its end. */
	if (known && known->state == CONNECTION_IDLE)
		set_state(listener, connection, CONNECTION_REQUEST);
	return exchange_new(connection, target);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode how)
{
	struct listener *listener = context;
	struct connection *known = listener_connection(connection);
	struct exchange *exchange = *state;

	if (known && exchange && exchange->let_in && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		connections_keep(listener->connections, known);
	/* It answered by itself, unless the client has gone. */
	if (known && exchange && !exchange->checked && !known->cut &&
	    how == MHD_REQUEST_TERMINATED_WITH_ERROR)
		count_refusal(listener, connection, REFUSAL_BAD_REQUEST,
			      "libmicrohttpd could not read it");
	exchange_free(exchange);
	*state = NULL;
	set_state(listener, connection, CONNECTION_IDLE);
}

/* ---- listening */

/* Serves on a listening socket. The listener owns both from then on. */
static int add_listener(struct http *http, int fd, struct socket_file *file)
{
	static const struct listener_handlers handlers = {on_target, on_request, on_completed};
	struct listener *listener =
		listener_new(&(struct listener){.http = http,
						.guard = file ? NULL : http->guard,
						.connections = file ? &http->local : &http->tcp,
						.file = file},
			     &handlers, fd);

	if (!listener)
		return -ENOMEM;
	LL_APPEND(http->listeners, listener);
	return 0;
}

int http_listen(struct http *http, struct address *address)
{
	int fd = listen_tcp(address);

	return fd < 0 ? fd : add_listener(http, fd, NULL);
}

int http_listen_unix(struct http *http, const char *path)
{
	struct socket_file *file = NULL;
	int fd = listen_unix(path, &file);

	return fd < 0 ? fd : add_listener(http, fd, file);
}

int http_event_fd(const struct http *http, size_t i)
{
	const struct listener *listener;

	LL_FOREACH(http->listeners, listener)
		if (i-- == 0)
			return listener_event_fd(listener);
	return i == 0 && http->guard ? guard_fd(http->guard) : -1;
}

int http_run(struct http *http)
{
	struct listener *listener;
	int err = 0;

	http->bodies.turn++;
	connections_expire(&http->tcp, clock_monotonic_ns());
	connections_expire(&http->local, clock_monotonic_ns());
	if (http->guard) {
		guard_run(http->guard, clock_monotonic_ns());
		resume_decided(http->guard);
	}
	LL_FOREACH(http->listeners, listener)
		err = listener_run(listener) ?: err;
	bodies_end_turn(&http->bodies);
	return err;
}

const struct refusals *http_refusals(const struct http *http)
{
	return &http->refusals;
}

/* The smaller of two times; -1 is none. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

int http_timeout_ms(const struct http *http)
{
	uint64_t now_ns = clock_monotonic_ns();
	int least = sooner(connections_timeout_ms(&http->tcp, now_ns),
			   connections_timeout_ms(&http->local, now_ns));
	const struct listener *listener;

	if (http->guard)
		least = sooner(least, guard_timeout_ms(http->guard, now_ns));
	LL_FOREACH(http->listeners, listener)
		least = sooner(least, listener_timeout_ms(listener));
	return least;
}
