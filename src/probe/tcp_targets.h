/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The targets of connections: the peers that a slot asks, and the ports at which it is asked
 * (struct tcp_target). The programs give them places. Here they are read, and places are taken back
 * that nobody needs any more. One thread calls all of this.
 */
#ifndef BRAMBLE_PROBE_TCP_TARGETS_H
#define BRAMBLE_PROBE_TCP_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "bramble/sockets.h"

struct probe;
struct tcp_targets;

/* What was counted for a target since it has its place. */
struct probe_target {
	enum tcp_target_kind kind;
	unsigned int place; /* below TCP_PEERS or TCP_PORTS */
	/* Its slot is SOCKET_NOBODY if that was given back: its counts do not change any more. */
	struct tcp_target target;
	const struct tcp_peer_counts *peer; /* of a TCP_PEER */
	const struct tcp_port_counts *port; /* of a TCP_PORT */
	bool last; /* the place is freed after this, and the next one there begins at zero */
};

/*
 * Calls each for every target that has a place. It returns false if it cannot take the counts now:
 * then the place is not freed. Returns 0 or a negative errno.
 */
typedef bool (*probe_target_fn)(void *context, const struct probe_target *target);
int probe_read_targets(struct probe *probe, probe_target_fn each, void *context);

/* Of a probe that is open. tcp.c has them. */
struct tcp_targets *tcp_targets_of(const struct probe *probe);

/* ---- For tcp.c. Those that return an int return 0 or a negative errno. */

/* Sizes the maps before the object is loaded. */
int tcp_targets_size(struct probe *probe);

int tcp_targets_open(struct probe *probe, struct tcp_targets **out);
void tcp_targets_close(struct tcp_targets *targets);

/*
 * One count: begin, note each set of sockets, end. It finds out which targets a socket still has,
 * counts for the quotas, and closes the places of idle ones. If begin fails, nothing is to follow.
 */
int tcp_targets_begin(struct probe *probe, struct tcp_targets *targets);
void tcp_targets_note(struct tcp_targets *targets, unsigned int set,
		      const volatile struct socket_set *sockets);
int tcp_targets_end(struct probe *probe, struct tcp_targets *targets, uint64_t now_ns);

/* Closes the places of slots that will get new owners: probe_is_freed(). */
int tcp_targets_free_slots(struct probe *probe, struct tcp_targets *targets, uint64_t now_ns);

int tcp_targets_read(struct probe *probe, struct tcp_targets *targets, probe_target_fn each,
		     void *context);

#endif
