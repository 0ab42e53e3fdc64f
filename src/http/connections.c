/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/connections.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#include "http/first_bytes.h"
#include "util/clock.h"

#define NS_PER_MS (NS_PER_S / 1000)

static const uint64_t limit_ns[CONNECTION_STATES] = {
	[CONNECTION_FIRST] = CONNECTION_FIRST_S * NS_PER_S,
	[CONNECTION_IDLE] = CONNECTION_IDLE_S * NS_PER_S,
	[CONNECTION_REPLY] = CONNECTION_REPLY_S * NS_PER_S,
	[CONNECTION_WAIT] = CONNECTION_WAIT_S * NS_PER_S,
};

static void cut(struct connection *connection)
{
	if (!connection->cut)
		shutdown(connection->fd, SHUT_RDWR);
	connection->cut = true;
}

/* The first connection that has not been cut off yet. */
static struct connection *first_uncut(struct connection *list)
{
	struct connection *connection;

	DL_FOREACH(list, connection)
		if (!connection->cut)
			break;
	return connection;
}

static struct connection *longest_waiting(const struct connections *all)
{
	struct connection *first = first_uncut(all->in[CONNECTION_FIRST]);
	struct connection *idle = first_uncut(all->in[CONNECTION_IDLE]);

	if (!first || !idle)
		return first ?: idle;
	return first->since_ns < idle->since_ns ? first : idle;
}

static void name_client(struct connection *connection)
{
	struct address address = {.len = sizeof(address.sockaddr)};

	snprintf(connection->client, sizeof(connection->client), "?");
	if (getpeername(connection->fd, (struct sockaddr *)&address.sockaddr, &address.len) == 0 &&
	    address.sockaddr.ss_family != AF_UNIX)
		address_format(&address, connection->client);
}

struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns)
{
	struct connection *connection = calloc(1, sizeof(*connection)), *oldest;

	if (!connection)
		return NULL;
	if (all->count >= CONNECTIONS_MAX) {
		oldest = longest_waiting(all);
		if (oldest)
			cut(oldest);
	}
	connection->fd = fd;
	connection->since_ns = now_ns;
	name_client(connection);
	DL_APPEND(all->in[CONNECTION_FIRST], connection);
	all->count++;
	return connection;
}

void connections_remove(struct connections *all, struct connection *connection, uint64_t now_ns)
{
	char detail[TLS_DETAIL_MAX];
	enum refusal reason;

	if (connection->tls) {
		reason = tls_end(connection->tls, detail);
		/* If it was cut off, it did not end by itself. */
		if (connection->cut &&
		    (reason == REFUSAL_HANDSHAKE || reason == REFUSAL_UNFINISHED))
			reason = REFUSAL_NONE;
		if (reason)
			refusals_add(&all->refusals, reason, connection->client,
				     detail[0] ? detail : NULL, now_ns);
	}
	DL_DELETE(all->in[connection->state], connection);
	all->count--;
	free(connection);
}

/*
 * The end of a client's stream may arrive together with its last data. An edge-triggered wait then
 * does not report it again.
 */
void connections_look(struct connections *all, struct connection *connection, uint64_t now_ns)
{
	unsigned char bytes[FIRST_BYTES];
	enum refusal reason;
	ssize_t got;

	if (connection->cut)
		return;
	got = recv(connection->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (got == 0)
		cut(connection);
	/* An HTTP request has no such bytes anywhere. */
	reason = got > 0 && connection->plain ? first_bytes_check(bytes, (size_t)got, false)
					      : REFUSAL_NONE;
	if (!reason)
		return;
	refusals_add(&all->refusals, reason, connection->client, NULL, now_ns);
	first_bytes_answer(connection->fd, reason);
	cut(connection);
}

void connections_set_state(struct connections *all, struct connection *connection,
			   enum connection_state state, uint64_t now_ns)
{
	DL_DELETE(all->in[connection->state], connection);
	connection->state = state;
	connection->since_ns = now_ns;
	DL_APPEND(all->in[state], connection);
}

static void cut_older(struct connection *list, uint64_t age_ns, uint64_t now_ns)
{
	struct connection *connection;

	DL_FOREACH(list, connection) {
		if (connection->since_ns + age_ns > now_ns)
			break;
		cut(connection);
	}
}

static void look_at_all(struct connections *all, enum connection_state state, uint64_t now_ns)
{
	struct connection *connection;

	DL_FOREACH(all->in[state], connection)
		connections_look(all, connection, now_ns);
}

void connections_expire(struct connections *all, uint64_t now_ns)
{
	int state;

	for (state = 0; state < CONNECTION_STATES; state++)
		cut_older(all->in[state], limit_ns[state], now_ns);
	look_at_all(all, CONNECTION_FIRST, now_ns);
	look_at_all(all, CONNECTION_IDLE, now_ns);
}

void connections_cut_slow(struct connections *all, uint64_t slow_ns, uint64_t now_ns)
{
	cut_older(all->in[CONNECTION_REPLY], slow_ns, now_ns);
}

int connections_timeout_ms(const struct connections *all, uint64_t now_ns)
{
	uint64_t end = UINT64_MAX;
	int state;

	for (state = 0; state < CONNECTION_STATES; state++) {
		const struct connection *first = first_uncut(all->in[state]);

		if (first && first->since_ns + limit_ns[state] < end)
			end = first->since_ns + limit_ns[state];
	}
	if (end == UINT64_MAX)
		return -1;
	return end <= now_ns ? 0 : (int)((end - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}
