/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two processes that take turns: this one asks, and a child answers. One thread calls all of this.
 */
#ifndef BRAMBLE_REPORT_PAIR_H
#define BRAMBLE_REPORT_PAIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pair {
	pid_t child;
	int to, from;	    /* equal: a socket */
	size_t ask, answer; /* bytes */
};

/*
 * Start a child that answers until pair_close(): through two pipes, or over a TCP connection on the
 * loopback. wait_ns: how long it sleeps before it answers. Return 0 or a negative errno.
 */
int pair_open_pipes(struct pair *pair);
int pair_open_tcp(struct pair *pair, uint64_t wait_ns);

/* Asks so many times, one after the other. Returns 0 or a negative errno. */
int pair_turns(const struct pair *pair, unsigned int count);

/* Ends the child, and waits for it. */
void pair_close(struct pair *pair);

#endif
