/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who listens at a Unix socket, told before a word is said to him. */
#ifndef BRAMBLE_TOP_LISTENER_H
#define BRAMBLE_TOP_LISTENER_H

enum listener {
	LISTENER_THERE, /* somebody does, whether he answers or not */
	LISTENER_NONE,	/* there is no such file */
	LISTENER_STALE, /* a socket that is left over: nobody listens any more */
	LISTENER_ERROR, /* no socket, or one that may not be opened */
};

/* path: of at most 107 bytes. *err: a negative errno where it is LISTENER_ERROR; -ENOTSOCK: no
 * socket. */
enum listener listener_find(const char *path, int *err);

#endif
