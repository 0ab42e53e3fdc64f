/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/network.h"

#include <netinet/in.h>
#include <string.h>

#define PREFIX_BYTES 8

/* Bytes that begin the addresses 127.0.0.0 to 127.0.0.15, and the lower bits of the last one. */
static const unsigned char loopback_first[] = {127, 0, 0};
#define LOOPBACK_FIRST_MASK 0x0f

static void set_v4(unsigned char network[NETWORK_SIZE], const unsigned char address[4])
{
	network[10] = network[11] = 0xff;
	memcpy(network + 12, address, 4);
	if (address[0] != loopback_first[0] ||
	    (memcmp(address, loopback_first, sizeof(loopback_first)) == 0 &&
	     (address[3] & ~LOOPBACK_FIRST_MASK) == 0))
		return;
	memset(network + 13, 0xff, 3);
}

void network_of(const struct sockaddr *from, unsigned char network[NETWORK_SIZE])
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(network, 0, NETWORK_SIZE);
	if (from && from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		set_v4(network, (const unsigned char *)&v4.sin_addr);
	} else if (from && from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		memcpy(network, &v6.sin6_addr, 16);
		if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
			set_v4(network, v6.sin6_addr.s6_addr + 12);
		else if (!IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
			memset(network + PREFIX_BYTES, 0, NETWORK_SIZE - PREFIX_BYTES);
	}
}
