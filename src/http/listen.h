/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sockets that listen. Nothing is logged. */
#ifndef BRAMBLE_LISTEN_H
#define BRAMBLE_LISTEN_H

#include "cli/address.h"
#include "http/socket_file.h"

/*
 * Listens on an address. Port 0 is replaced by the port that the kernel chose. An IPv6 address
 * without a host also serves IPv4. Returns a file descriptor or a negative errno.
 */
int listen_tcp(struct address *address);

/*
 * Listens on a Unix socket, which owner and group can read and write. Its directory is made if
 * necessary. A socket that a dead process left behind is replaced. Returns a file descriptor and
 * *file, which is to be removed at the end, or a negative errno: -EADDRINUSE if another process
 * serves there, -EEXIST if the path is a file that is not a socket.
 */
int listen_unix(const char *path, struct socket_file **file);

#endif
