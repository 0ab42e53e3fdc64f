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

static int check_kind(const struct stat *st, size_t max, char *reason, size_t reason_size)
{
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode)) {
		(void)snprintf(reason, reason_size, "it is %s; name a regular file",
			       kind_of(st->st_mode));
		return -EMEDIUMTYPE;
	}
	return (uintmax_t)st->st_size > max ? -EFBIG : 0;
}

/* Returns a descriptor. Looks before it opens, because opening a device may do something; and
 * afterwards, because it may be another file by then. */
static int open_regular(const char *path, size_t max, char *reason, size_t reason_size)
{
	struct stat st;
	int fd = -1, err = 0;

	reason[0] = '\0';
	if (stat(path, &st) == 0)
		err = check_kind(&st, max, reason, reason_size);
	else
		err = -errno;
	if (!err) {
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st))
			err = -errno;
		else
			err = check_kind(&st, max, reason, reason_size);
	}
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static void put_reason(char *reason, size_t reason_size, int err, size_t max)
{
	if (err == -EFBIG)
		(void)snprintf(reason, reason_size, "it has more than %zu bytes", max);
	else if (!reason[0])
		(void)snprintf(reason, reason_size, "%s", strerror(-err));
}

int given_file_read(const char *path, size_t max, struct buf *out, char *error, size_t error_size)
{
	char reason[GIVEN_FILE_REASON_SIZE];
	int fd, err;

	*out = (struct buf){0};
	error[0] = '\0';
	fd = open_regular(path, max, reason, sizeof(reason));
	err = fd < 0 ? fd : buf_read_fd(out, fd, max);
	if (fd >= 0)
		close(fd);
	if (!err)
		return 0;
	put_reason(reason, sizeof(reason), err, max);
	(void)snprintf(error, error_size, "%s: %s", path, reason);
	return err;
}

int given_file_look(const char *path, size_t max, char *reason, size_t reason_size)
{
	int fd = open_regular(path, max, reason, reason_size);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	put_reason(reason, reason_size, fd, max);
	return fd;
}

int given_file_check(const char *path, size_t max, char *error, size_t error_size)
{
	char reason[GIVEN_FILE_REASON_SIZE];
	int err = given_file_look(path, max, reason, sizeof(reason));

	error[0] = '\0';
	if (err)
		(void)snprintf(error, error_size, "%s: %s", path, reason);
	return err;
}
