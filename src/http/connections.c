/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/connections.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <utlist.h>

#include "http/first_bytes.h"
#include "util/clock.h"

#define NS_PER_MS (NS_PER_S / 1000)

const struct connection_bounds connections_tcp = {
	.all = 96,
	.per_network = 64,
	.unfinished = 48,
	.unfinished_per_network = 32,
	.kept = 32,
	.kept_per_network = 16,
};

const struct connection_bounds connections_unix = {
	.all = 16,
	.per_network = 16,
	.unfinished = 8,
	.unfinished_per_network = 8,
	.kept = 8,
	.kept_per_network = 8,
};

static const uint64_t limit_ns[CONNECTION_STATES] = {
	[CONNECTION_REQUEST] = CONNECTION_REQUEST_S * NS_PER_S,
	[CONNECTION_IDLE] = CONNECTION_IDLE_S * NS_PER_S,
	[CONNECTION_REPLY] = CONNECTION_REPLY_S * NS_PER_S,
	[CONNECTION_WAIT] = CONNECTION_WAIT_S * NS_PER_S,
};

/* Why a client is refused whose time in a state is over. An idle one is not refused. */
static const enum refusal too_long[CONNECTION_STATES] = {
	[CONNECTION_REQUEST] = REFUSAL_SLOW_REQUEST,
	[CONNECTION_REPLY] = REFUSAL_SLOW_READER,
};

static void cut(struct connections *all, struct connection *connection, enum refusal reason,
		uint64_t now_ns)
{
	if (connection->cut)
		return;
	connection->cut = true;
	shutdown(connection->fd, SHUT_RDWR);
	if (reason)
		refusals_add(all->refusals, reason, connection->client, NULL, now_ns);
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

/* ---- who may connect */

/* The largest of the bounds, and a newcomer. */
#define NETWORKS_MAX 97

/* The connections of one network that count. */
struct tally {
	const unsigned char *network;
	unsigned int all;
	unsigned int movable; /* those whose places are not kept */
};

struct crowd {
	bool unfinished; /* only connections without a whole request count */
	uint64_t now_ns;
	unsigned int all;
	size_t networks;
	struct tally tallies[NETWORKS_MAX];
};

static struct tally *tally_of(struct crowd *crowd, const unsigned char network[NETWORK_SIZE])
{
	size_t i;

	for (i = 0; i < crowd->networks; i++)
		if (memcmp(crowd->tallies[i].network, network, NETWORK_SIZE) == 0)
			return &crowd->tallies[i];
	if (crowd->networks < NETWORKS_MAX)
		i = crowd->networks++;
	else
		i = NETWORKS_MAX - 1;
	crowd->tallies[i] = (struct tally){.network = network};
	return &crowd->tallies[i];
}

static void count_crowd(struct crowd *crowd, const struct connections *all)
{
	const struct connection *connection;
	struct tally *tally;
	int state;

	for (state = 0; state < CONNECTION_STATES; state++) {
		if (crowd->unfinished && state != CONNECTION_REQUEST)
			continue;
		DL_FOREACH(all->in[state], connection) {
			if (connection->cut)
				continue;
			tally = tally_of(crowd, connection->network);
			tally->all++;
			tally->movable += !connection->kept;
			crowd->all++;
		}
	}
}

/*
 * The one that gives way to a newcomer. Of the networks that have as many as the greediest one, or
 * of the newcomer's alone. The lists of unfinished requests and of idle connections come first. A
 * reply gives way if it is slow, or if its network has more than the newcomer's.
 */
static struct connection *find_victim(struct crowd *crowd, const struct connections *all,
				      const struct tally *newcomers, bool of_newcomers)
{
	unsigned int most = 0;
	int state;
	size_t i;

	for (i = 0; i < crowd->networks; i++)
		if (crowd->tallies[i].movable > most)
			most = crowd->tallies[i].movable;
	for (state = 0; state < (crowd->unfinished ? 1 : CONNECTION_STATES); state++) {
		struct connection *connection;

		DL_FOREACH(all->in[state], connection) {
			const struct tally *tally = tally_of(crowd, connection->network);
			bool slow = crowd->now_ns - connection->since_ns >=
				    CONNECTION_SLOW_S * NS_PER_S;

			if (connection->cut || connection->kept ||
			    (of_newcomers ? tally != newcomers : tally->movable < most))
				continue;
			if (state <= CONNECTION_IDLE || slow || tally->movable > newcomers->movable)
				return connection;
		}
	}
	return NULL;
}

/* Makes place for one more of a network. Returns whether there is. */
static bool make_place(struct connections *all, const unsigned char network[NETWORK_SIZE],
		       bool unfinished, uint64_t now_ns)
{
	const struct connection_bounds *bounds = all->bounds;
	struct crowd crowd = {.unfinished = unfinished, .now_ns = now_ns, .all = 1};
	struct tally *newcomers = tally_of(&crowd, network);
	struct connection *victim;
	bool too_many;

	newcomers->all = newcomers->movable = 1;
	count_crowd(&crowd, all);
	too_many = newcomers->all >
		   (unfinished ? bounds->unfinished_per_network : bounds->per_network);
	if (!too_many && crowd.all <= (unfinished ? bounds->unfinished : bounds->all))
		return true;
	victim = find_victim(&crowd, all, newcomers, too_many);
	if (victim)
		cut(all, victim, REFUSAL_CONNECTIONS, now_ns);
	return victim != NULL;
}

static void name_client(const struct sockaddr *from, char client[ADDRESS_TEXT_MAX])
{
	struct address address = {.len = from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								     : sizeof(struct sockaddr_in)};

	snprintf(client, ADDRESS_TEXT_MAX, "?");
	if (from->sa_family != AF_INET && from->sa_family != AF_INET6)
		return;
	memcpy(&address.sockaddr, from, address.len);
	address_format(&address, client);
}

bool connections_admit(struct connections *all, const struct sockaddr *from, uint64_t now_ns)
{
	unsigned char network[NETWORK_SIZE];
	char client[ADDRESS_TEXT_MAX];

	network_of(from, network);
	if ((!all->handshakes || budget_take(&all->budget, network, now_ns)) &&
	    make_place(all, network, true, now_ns) && make_place(all, network, false, now_ns))
		return true;
	name_client(from, client);
	refusals_add(all->refusals, REFUSAL_CONNECTIONS, client, NULL, now_ns);
	return false;
}

struct connection *connections_add(struct connections *all, int fd, uint64_t now_ns)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct sockaddr_storage from = {0};
	socklen_t len = sizeof(from);

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->since_ns = now_ns;
	if (getpeername(fd, (struct sockaddr *)&from, &len))
		from.ss_family = AF_UNSPEC;
	network_of((struct sockaddr *)&from, connection->network);
	name_client((struct sockaddr *)&from, connection->client);
	DL_APPEND(all->in[CONNECTION_REQUEST], connection);
	all->count++;
	return connection;
}

void connections_keep(struct connections *all, struct connection *connection)
{
	unsigned int kept = 0, of_network = 0;
	const struct connection *other;
	int state;

	if (!connection->served)
		budget_give_back(&all->budget, connection->network);
	connection->served = true;
	for (state = 0; state < CONNECTION_STATES; state++)
		DL_FOREACH(all->in[state], other) {
			kept += other->kept;
			of_network += other->kept && memcmp(other->network, connection->network,
							    NETWORK_SIZE) == 0;
		}
	if (kept < all->bounds->kept && of_network < all->bounds->kept_per_network)
		connection->kept = true;
}

/* ---- the time of a connection */

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
			refusals_add(all->refusals, reason, connection->client,
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
		cut(all, connection, REFUSAL_NONE, now_ns);
	/* An HTTP request has no such bytes anywhere. */
	reason = got > 0 && connection->plain ? first_bytes_check(bytes, (size_t)got, false)
					      : REFUSAL_NONE;
	if (!reason)
		return;
	first_bytes_answer(connection->fd, reason);
	cut(all, connection, reason, now_ns);
}

void connections_set_state(struct connections *all, struct connection *connection,
			   enum connection_state state, uint64_t now_ns)
{
	DL_DELETE(all->in[connection->state], connection);
	connection->state = state;
	connection->since_ns = now_ns;
	DL_APPEND(all->in[state], connection);
}

static void cut_older(struct connections *all, int state, uint64_t age_ns, uint64_t now_ns)
{
	struct connection *connection;

	DL_FOREACH(all->in[state], connection) {
		if (connection->since_ns + age_ns > now_ns)
			break;
		cut(all, connection, too_long[state], now_ns);
	}
}

static void look_at_all(struct connections *all, enum connection_state state, uint64_t now_ns)
{
	struct connection *connection;

	DL_FOREACH(all->in[state], connection)
		connections_look(all, connection, now_ns);
}

/* Who does not take a reply loses the right to its place. */
static void stop_keeping_slow(struct connections *all, uint64_t now_ns)
{
	struct connection *connection;

	DL_FOREACH(all->in[CONNECTION_REPLY], connection) {
		if (connection->since_ns + CONNECTION_SLOW_S * NS_PER_S > now_ns)
			break;
		connection->kept = false;
	}
}

void connections_expire(struct connections *all, uint64_t now_ns)
{
	int state;

	for (state = 0; state < CONNECTION_STATES; state++)
		cut_older(all, state, limit_ns[state], now_ns);
	stop_keeping_slow(all, now_ns);
	look_at_all(all, CONNECTION_REQUEST, now_ns);
	look_at_all(all, CONNECTION_IDLE, now_ns);
}

void connections_cut_slow(struct connections *all, uint64_t now_ns)
{
	cut_older(all, CONNECTION_REPLY, CONNECTION_SLOW_S * NS_PER_S, now_ns);
}

/* Of the replies under way, without the asker's. */
static void count_replies(struct crowd *crowd, const struct connections *all,
			  const struct connection *asker)
{
	const struct connection *connection;

	DL_FOREACH(all->in[CONNECTION_REPLY], connection)
		if (!connection->cut && connection != asker)
			tally_of(crowd, connection->network)->all++;
}

bool connections_make_way(struct connections *all, const struct connection *asker, uint64_t now_ns)
{
	struct crowd crowd = {.now_ns = now_ns};
	const struct tally *askers = tally_of(&crowd, asker->network);
	struct connection *connection;
	unsigned int most = 0;
	size_t i;

	count_replies(&crowd, all, asker);
	for (i = 0; i < crowd.networks; i++)
		if (crowd.tallies[i].all > most)
			most = crowd.tallies[i].all;
	DL_FOREACH(all->in[CONNECTION_REPLY], connection) {
		if (connection->cut || tally_of(&crowd, connection->network)->all < most)
			continue;
		if (most > askers->all)
			cut(all, connection, REFUSAL_CONNECTIONS, now_ns);
		break;
	}
	return !askers->all;
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
