/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/listen.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/socket_file.h"

/* Accepting is fast. So a crowd waits here for a moment, rather than for a repeated SYN. */
#define BACKLOG	    512

/* What the kernel holds of a reply for a client that does not read; it doubles this. */
#define SEND_BUFFER (128 * 1024)

/* The socket, or the error after it is closed. */
static int finish(int fd, int err)
{
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int listen_tcp(struct address *address)
{
	struct sockaddr *sockaddr = (struct sockaddr *)&address->sockaddr;
	const int on = 1, off = 0, buffer = SEND_BUFFER;
	int fd, err = 0;

	fd = socket(sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (sockaddr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, sockaddr, address->len) || getsockname(fd, sockaddr, &address->len))
		err = -errno;
	return finish(fd, err);
}

static int make_parent(const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return mkdir(parent, 0755) && errno != EEXIST ? -errno : 0;
}

int listen_unix(const char *path, struct socket_file **file)
{
	int fd, err = make_parent(path);

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = socket_file_bind(fd, path, file);
	if (err) {
		close(fd);
		return err;
	}
	fd = finish(fd, 0);
	if (fd < 0) {
		socket_file_remove(*file);
		*file = NULL;
	}
	return fd;
}
