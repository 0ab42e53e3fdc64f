/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#include "util/clock.h"

#define NS_PER_MS (NS_PER_S / 1000)

static const uint64_t limit_ns[CONNECTION_STATES] = {
	[CONNECTION_FIRST] = CONNECTION_FIRST_S * NS_PER_S,
	[CONNECTION_IDLE] = CONNECTION_IDLE_S * NS_PER_S,
	[CONNECTION_REPLY] = CONNECTION_REPLY_S * NS_PER_S,
};

static void cut(struct connection *connection)
{
	if (!connection->cut)
		shutdown(connection->fd, SHUT_RDWR);
	connection->cut = true;
}

/* The first that is not cut off already. */
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
	DL_APPEND(all->in[CONNECTION_FIRST], connection);
	all->count++;
	return connection;
}

void connections_remove(struct connections *all, struct connection *connection)
{
	DL_DELETE(all->in[connection->state], connection);
	all->count--;
	free(connection);
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

	DL_FOREACH(list, connection)
	{
		if (connection->since_ns + age_ns > now_ns)
			break;
		cut(connection);
	}
}

/*
 * The end of what a client sends may come together with the last of it, and whoever waits for
 * edges of readiness is not told again.
 */
static void cut_ended(struct connection *list)
{
	struct connection *connection;
	char byte;

	DL_FOREACH(list, connection)
	if (recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		cut(connection);
}

void connections_expire(struct connections *all, uint64_t now_ns)
{
	int state;

	for (state = 0; state < CONNECTION_STATES; state++)
		cut_older(all->in[state], limit_ns[state], now_ns);
	cut_ended(all->in[CONNECTION_FIRST]);
	cut_ended(all->in[CONNECTION_IDLE]);
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
