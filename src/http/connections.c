/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/connections.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <utlist.h>

#include "util/clock.h"

#define NS_PER_MS (NS_PER_S / 1000)

static struct connection **list_of(struct connections *all, const struct connection *connection)
{
	return connection->replying ? &all->replying : &all->waiting;
}

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

struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns)
{
	struct connection *connection = calloc(1, sizeof(*connection)), *oldest;

	if (!connection)
		return NULL;
	if (all->count >= CONNECTIONS_MAX) {
		oldest = first_uncut(all->waiting);
		if (oldest)
			cut(oldest);
	}
	connection->fd = fd;
	connection->since_ns = now_ns;
	DL_APPEND(all->waiting, connection);
	all->count++;
	return connection;
}

void connections_remove(struct connections *all, struct connection *connection)
{
	struct connection **list = list_of(all, connection);

	DL_DELETE(*list, connection);
	all->count--;
	free(connection);
}

void connections_set_replying(struct connections *all, struct connection *connection, bool replying,
			      uint64_t now_ns)
{
	struct connection **list = list_of(all, connection);

	DL_DELETE(*list, connection);
	connection->replying = replying;
	connection->since_ns = now_ns;
	list = list_of(all, connection);
	DL_APPEND(*list, connection);
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

void connections_expire(struct connections *all, uint64_t now_ns)
{
	cut_older(all->waiting, CONNECTION_WAIT_S * NS_PER_S, now_ns);
	cut_older(all->replying, CONNECTION_REPLY_S * NS_PER_S, now_ns);
}

void connections_cut_slow(struct connections *all, uint64_t slow_ns, uint64_t now_ns)
{
	cut_older(all->replying, slow_ns, now_ns);
}

static uint64_t end_of(const struct connection *connection, uint64_t limit_s)
{
	return connection ? connection->since_ns + limit_s * NS_PER_S : UINT64_MAX;
}

int connections_timeout_ms(const struct connections *all, uint64_t now_ns)
{
	uint64_t waiting = end_of(first_uncut(all->waiting), CONNECTION_WAIT_S);
	uint64_t replying = end_of(first_uncut(all->replying), CONNECTION_REPLY_S);
	uint64_t end = waiting < replying ? waiting : replying;

	if (end == UINT64_MAX)
		return -1;
	return end <= now_ns ? 0 : (int)((end - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}
