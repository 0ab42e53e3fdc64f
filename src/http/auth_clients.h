/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The addresses that sent new passwords, and how many each may still try. There is a place for
 * AUTH_CLIENTS of them. A new one takes the place of the one that was quiet for longest.
 *
 * Addresses that one client can choose from are one: an IPv6 network of /64 (RFC 4291, 2.5.4). An
 * IPv4 address, also one that is mapped into IPv6, and a link-local one stand for themselves.
 */
#ifndef BRAMBLE_AUTH_CLIENTS_H
#define BRAMBLE_AUTH_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/bucket.h"
#include "http/network.h"

#define AUTH_CLIENTS 128
#define AUTH_BURST   4 /* passwords that an address may try at once; one more a second */

struct auth_client {
	unsigned char network[NETWORK_SIZE]; /* as IPv6 */
	bool used;
	unsigned int jobs,
		tickets;     /* that wait, see auth.c; while there are any it keeps its place */
	uint64_t asked;	     /* with new passwords, also with those that it was not let try */
	struct bucket tries; /* filled_ns is also when it was last heard of */
	uint64_t decided_ns; /* when a password of it was last hashed; 0: never */
};

/* All zero at first. */
struct auth_clients {
	struct auth_client list[AUTH_CLIENTS];
};

/*
 * The place of an address (NULL, or neither IPv4 nor IPv6: they share one). At most
 * AUTH_CLIENTS - 1 may have jobs or tickets. now_ns: CLOCK_MONOTONIC.
 */
struct auth_client *auth_clients_get(struct auth_clients *clients, const struct sockaddr *from,
				     uint64_t now_ns);

/* Whether it may try one more password, which is then counted. */
bool auth_client_try(struct auth_client *client, uint64_t now_ns);

#endif
