/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/unix_listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns 0 or a negative errno. */
static int try_to_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, err = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		err = -errno;
	close(fd);
	return err;
}

enum listener listener_find(const char *path, int *err)
{
	struct stat st;

	*err = stat(path, &st) ? -errno : try_to_connect(path);
	switch (*err) {
	case 0:
	case -EAGAIN: /* its queue of waiting connections is full */
		*err = 0;
		return LISTENER_THERE;
	case -ENOENT:
		return LISTENER_NONE;
	case -ECONNREFUSED:
		/* unix(7): also if the file is no socket. */
		if (S_ISSOCK(st.st_mode))
			return LISTENER_STALE;
		*err = -ENOTSOCK;
		return LISTENER_ERROR;
	default:
		return LISTENER_ERROR;
	}
}
