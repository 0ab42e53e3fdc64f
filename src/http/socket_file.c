/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"
#define LOCK_TRIES  10

#define SOCKET_MODE 0660 /* owner and group can open it */

struct socket_file {
	struct sockaddr_un address;
	char lock_path[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(LOCK_SUFFIX)];
	int lock_fd;
	dev_t device; /* of the file that was made here */
	ino_t inode;
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Opens and locks the file. Returns a descriptor, or a negative errno. */
static int try_lock(const char *path, struct stat *opened)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, opened))
		err = -errno;
	else if (!S_ISREG(opened->st_mode))
		err = -EEXIST;
	else if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

/*
 * Who removes the lock's file holds the lock. So whoever gets a lock looks whether its file is
 * still the one at the path.
 */
static int take_lock(const char *path)
{
	struct stat opened = {0}, there = {0};
	int fd, tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		fd = try_lock(path, &opened);
		if (fd < 0)
			return fd;
		if (lstat(path, &there) == 0 && same_file(&opened, &there))
			return fd;
		close(fd);
	}
	return -EADDRINUSE;
}

/* Whether a file that is in the way is a socket that nobody serves: 0, or a negative errno.
 * connect() also fails with ECONNREFUSED on a file that is not a socket. */
static int check_stale(int fd, const struct sockaddr_un *address)
{
	struct stat st;

	if (lstat(address->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	/* EAGAIN: somebody serves it, but its queue is full. */
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	return errno == ECONNREFUSED ? 0 : -errno;
}

/* With chmod() after bind(), a symbolic link could be in its place by then. */
static int bind_with_mode(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0777 & ~SOCKET_MODE);
	int err = bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;

	umask(before);
	return err;
}

static int bind_locked(int fd, struct socket_file *file)
{
	const char *path = file->address.sun_path;
	struct stat st;
	int err = bind_with_mode(fd, &file->address);

	if (err == -EADDRINUSE) {
		err = check_stale(fd, &file->address);
		if (!err && unlink(path))
			err = -errno;
		err = err ?: bind_with_mode(fd, &file->address);
	}
	if (!err && lstat(path, &st))
		err = -errno;
	if (err)
		return err;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	return 0;
}

static void unlock(struct socket_file *file)
{
	unlink(file->lock_path);
	close(file->lock_fd);
	free(file);
}

int socket_file_bind(int fd, const char *path, struct socket_file **out)
{
	struct socket_file *file;
	size_t len = strlen(path);
	int err;

	if (len >= sizeof(file->address.sun_path))
		return -ENAMETOOLONG;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->address.sun_family = AF_UNIX;
	memcpy(file->address.sun_path, path, len);
	memcpy(file->lock_path, path, len);
	memcpy(file->lock_path + len, LOCK_SUFFIX, sizeof(LOCK_SUFFIX));
	file->lock_fd = take_lock(file->lock_path);
	if (file->lock_fd < 0) {
		err = file->lock_fd;
		free(file);
		return err;
	}
	err = bind_locked(fd, file);
	if (err)
		unlock(file);
	else
		*out = file;
	return err;
}

void socket_file_remove(struct socket_file *file)
{
	struct stat st;

	if (!file)
		return;
	if (lstat(file->address.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_dev == file->device && st.st_ino == file->inode)
		unlink(file->address.sun_path);
	unlock(file);
}
