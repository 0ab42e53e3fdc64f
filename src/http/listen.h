/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sockets that listen. Nothing is logged. */
#ifndef BRAMBLE_LISTEN_H
#define BRAMBLE_LISTEN_H

#include "cli/address.h"

/*
 * Listens on an address. Port 0 is replaced by the one the kernel chose. On an
 * IPv6 address without a host, IPv4 is served too. Returns a file descriptor or a negative
 * errno.
 */
int listen_tcp(struct address *address);

/*
 * Listens on a Unix socket, readable and writable for owner and group. Its
 * directory is made if need be; a socket that a dead process left is replaced.
 * Returns a file descriptor, or a negative errno: -EADDRINUSE if another process serves
 * there, -EEXIST if there is a file that is no socket.
 */
int listen_unix(const char *path);

#endif
