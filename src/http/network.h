/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who counts as one client: an IPv4 address, also one that is mapped into IPv6, or an IPv6 network
 * of /64 (RFC 4291, 2.5.4), from which one client can choose addresses. A link-local address stands
 * for itself.
 *
 * Any process of this machine can have any address of 127.0.0.0/8. The first 16 of them, which
 * programs use, are told apart; all the others are one client.
 */
#ifndef BRAMBLE_NETWORK_H
#define BRAMBLE_NETWORK_H

#include <sys/socket.h>

#define NETWORK_SIZE 16

/* As an IPv6 address. from: NULL or neither IPv4 nor IPv6 is all zero. */
void network_of(const struct sockaddr *from, unsigned char network[NETWORK_SIZE]);

#endif
