/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who counts as one client: an IPv4 address, also one that is mapped into IPv6, or an IPv6 network
 * of /64 (RFC 4291, 2.5.4), from which one client can choose addresses. A link-local address stands
 * for itself.
 */
#ifndef BRAMBLE_NETWORK_H
#define BRAMBLE_NETWORK_H

#include <sys/socket.h>

#define NETWORK_SIZE 16

/* As an IPv6 address. from: NULL or neither IPv4 nor IPv6 is all zero. */
void network_of(const struct sockaddr *from, unsigned char network[NETWORK_SIZE]);

#endif
