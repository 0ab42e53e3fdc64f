/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether somebody listens on a Unix socket, found out before anything is sent. */
#ifndef BRAMBLE_UNIX_LISTENER_H
#define BRAMBLE_UNIX_LISTENER_H

enum listener {
	LISTENER_THERE, /* a program listens, whether it answers or not */
	LISTENER_NONE,	/* there is no such file */
	LISTENER_STALE, /* a socket that is left over: nobody listens any more */
	LISTENER_ERROR, /* no socket, or one that may not be opened */
};

/* path: at most 107 bytes. *err: with LISTENER_ERROR a negative errno; -ENOTSOCK: the file is no
 * socket. */
enum listener listener_find(const char *path, int *err);

#endif
