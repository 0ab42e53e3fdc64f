/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/auth_clients.h"

#include <assert.h>
#include <string.h>

#include "http/network.h"
#include "util/clock.h"

static bool gives_way(const struct auth_client *client, const struct auth_client *instead_of)
{
	if (client->jobs || client->tickets)
		return false;
	if (!instead_of || client->used != instead_of->used)
		return !instead_of || !client->used;
	return client->tries.filled_ns < instead_of->tries.filled_ns;
}

struct auth_client *auth_clients_get(struct auth_clients *clients, const struct sockaddr *from,
				     uint64_t now_ns)
{
	struct auth_client *place = NULL;
	unsigned char network[NETWORK_SIZE];
	size_t i;

	network_of(from, network);
	for (i = 0; i < AUTH_CLIENTS; i++) {
		struct auth_client *client = &clients->list[i];

		if (client->used && memcmp(client->network, network, sizeof(network)) == 0)
			return client;
		if (gives_way(client, place))
			place = client;
	}
	assert(place); /* there are fewer tickets and jobs than places */
	*place = (struct auth_client){.used = true, .tries = {AUTH_BURST, now_ns}};
	memcpy(place->network, network, sizeof(network));
	return place;
}

bool auth_client_try(struct auth_client *client, uint64_t now_ns)
{
	return bucket_take(&client->tries, NS_PER_S, AUTH_BURST, now_ns);
}
