/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/network.h"

#include <netinet/in.h>
#include <string.h>

#define PREFIX_BYTES 8

void network_of(const struct sockaddr *from, unsigned char network[NETWORK_SIZE])
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(network, 0, NETWORK_SIZE);
	if (from && from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		network[10] = network[11] = 0xff;
		memcpy(network + 12, &v4.sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		memcpy(network, &v6.sin6_addr, 16);
		if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) && !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
			memset(network + PREFIX_BYTES, 0, NETWORK_SIZE - PREFIX_BYTES);
	}
}
