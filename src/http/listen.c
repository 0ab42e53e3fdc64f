/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/listen.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

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
	const int on = 1, off = 0;
	int fd, err = 0;

	fd = socket(sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sockaddr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, sockaddr, address->len) || getsockname(fd, sockaddr, &address->len))
		err = -errno;
	return finish(fd, err);
}

static int unix_address(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path));
	return 0;
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

/*
 * Binds. First removes a socket file that nobody serves. connect() also fails with ECONNREFUSED on
 * a file that is not a socket. Such a file is left alone.
 */
static int bind_unix(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *any = (const struct sockaddr *)address;
	struct stat st;

	if (bind(fd, any, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(address->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	/* EAGAIN: somebody serves it, but its queue is full. */
	if (connect(fd, any, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	if (unlink(address->sun_path) || bind(fd, any, sizeof(*address)))
		return -errno;
	return 0;
}

int listen_unix(const char *path)
{
	struct sockaddr_un address;
	int fd, err = unix_address(&address, path);

	err = err ?: make_parent(path);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = bind_unix(fd, &address);
	if (!err && chmod(path, 0660))
		err = -errno;
	return finish(fd, err);
}
