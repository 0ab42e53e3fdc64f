/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/auth_clients.h"

#include <netinet/in.h>
#include <string.h>

#include "util/clock.h"

#define PREFIX_BYTES 8 /* of a /64 */

static void network_of(const struct sockaddr *from, unsigned char network[16])
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(network, 0, 16);
	if (from && from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		network[10] = network[11] = 0xff;
		memcpy(network + 12, &v4.sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		memcpy(network, &v6.sin6_addr, 16);
		if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
			memset(network + PREFIX_BYTES, 0, 16 - PREFIX_BYTES);
	}
}

static bool gives_way(const struct auth_client *client, const struct auth_client *instead_of)
{
	if (client->jobs || client->tickets)
		return false;
	if (!instead_of || client->used != instead_of->used)
		return !instead_of || !client->used;
	return client->filled_ns < instead_of->filled_ns;
}

struct auth_client *auth_clients_get(struct auth_clients *clients, const struct sockaddr *from,
				     uint64_t now_ns)
{
	struct auth_client *place = NULL;
	unsigned char network[16];
	size_t i;

	network_of(from, network);
	for (i = 0; i < AUTH_CLIENTS; i++) {
		struct auth_client *client = &clients->list[i];

		if (client->used && memcmp(client->network, network, sizeof(network)) == 0)
			return client;
		if (gives_way(client, place))
			place = client;
	}
	*place = (struct auth_client){.used = true, .tokens = AUTH_BURST, .filled_ns = now_ns};
	memcpy(place->network, network, sizeof(network));
	return place;
}

bool auth_client_try(struct auth_client *client, uint64_t now_ns)
{
	client->tokens += (double)(now_ns - client->filled_ns) / (double)NS_PER_S;
	client->filled_ns = now_ns;
	if (client->tokens > AUTH_BURST)
		client->tokens = AUTH_BURST;
	if (client->tokens < 1)
		return false;
	client->tokens--;
	return true;
}
