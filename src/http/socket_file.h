/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file of a Unix socket. A lock on a file beside it (PATH.lock) says that somebody serves there
 * or is about to. The kernel releases it when the process ends, however it ends. So a socket that a
 * killed process left behind is told from one that is served, and of several that start at once one
 * gets the place. Nothing is logged.
 */
#ifndef BRAMBLE_SOCKET_FILE_H
#define BRAMBLE_SOCKET_FILE_H

struct socket_file;

/*
 * Binds a Unix socket to a path. Its file has mode 0660 from the beginning: the process's umask is
 * another one for a moment. Replaces a socket that nobody serves, and no other file; symbolic links
 * are not followed. Returns 0 and *out, or a negative errno: -EADDRINUSE if another process serves
 * there, -EEXIST if there is something else, -ENAMETOOLONG, -ENOMEM.
 */
int socket_file_bind(int fd, const char *path, struct socket_file **out);

/* Removes the file, if it is still the one that was made here, and frees it. NULL does nothing. */
void socket_file_remove(struct socket_file *file);

#endif
