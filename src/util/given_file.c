/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/given_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

static int check_kind(const struct stat *st, const char *path, size_t max, char *error,
		      size_t error_size)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode)) {
		(void)snprintf(error, error_size, "%s: it is %s; name a regular file", path,
			       kind_of(st->st_mode));
		return -EMEDIUMTYPE;
	}
	if ((uintmax_t)st->st_size > max) {
		(void)snprintf(error, error_size, "%s: it has more than %zu bytes", path, max);
		return -EFBIG;
	}
	return 0;
}

/* Returns a descriptor. Looks before it opens, because opening a device may do something; and
 * afterwards, because it may be another file by then. */
static int open_regular(const char *path, size_t max, char *error, size_t error_size)
{
	struct stat st;
	int fd = -1, err = 0;

	if (stat(path, &st) == 0)
		err = check_kind(&st, path, max, error, error_size);
	else
		err = -errno;
	if (!err) {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st))
			err = -errno;
		else
			err = check_kind(&st, path, max, error, error_size);
	}
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

int given_file_read(const char *path, size_t max, struct buf *out, char *error, size_t error_size)
{
	int fd, err;

	*out = (struct buf){0};
	error[0] = '\0';
	fd = open_regular(path, max, error, error_size);
	err = fd < 0 ? fd : buf_read_fd(out, fd, max);
	if (fd >= 0)
		close(fd);
	if (err == -EFBIG && !error[0])
		(void)snprintf(error, error_size, "%s: it has more than %zu bytes", path, max);
	else if (err && !error[0])
		(void)snprintf(error, error_size, "%s: %s", path, strerror(-err));
	return err;
}

int given_file_check(const char *path, size_t max, char *error, size_t error_size)
{
	int fd;

	error[0] = '\0';
	fd = open_regular(path, max, error, error_size);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (!error[0])
		(void)snprintf(error, error_size, "%s: %s", path, strerror(-fd));
	return fd;
}
