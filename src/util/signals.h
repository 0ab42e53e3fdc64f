/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Signals of a program that serves, as a descriptor for its event loop. None of those that come
 * from outside ends the program on the spot.
 *  - SIGTERM, SIGINT, SIGQUIT and SIGXCPU end it in order.
 *  - SIGHUP asks it to read its configuration again, as usual for a server. A terminal that closes
 *    sends SIGHUP, too: a program that was started from it then ends in order.
 *  - SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGPIPE and SIGXFSZ do nothing,
 *    nor do real-time signals.
 */
#ifndef BRAMBLE_SIGNALS_H
#define BRAMBLE_SIGNALS_H

#include <stdbool.h>

struct signals {
	int fd;	       /* readable when one has come */
	bool terminal; /* the program was started from one */
};

enum signal_wish {
	SIGNAL_NONE,
	SIGNAL_RELOAD,
	SIGNAL_END,
};

/*
 * Blocks the signals in this thread, and in those it makes later. If SIGHUP was ignored before,
 * it stays so, as nohup wants it. Returns 0 or a negative errno.
 */
int signals_open(struct signals *signals);

/* Closes the descriptor. The signals stay blocked. fd may be -1. */
void signals_close(struct signals *signals);

/* What the signals that have come ask for: the gravest of it. *name (static): whose wish it is. */
enum signal_wish signals_read(const struct signals *signals, const char **name);

#endif
