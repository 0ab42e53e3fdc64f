/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the tcp programs know of sockets, and user space looks through: the places of targets, and
 * the sockets with their owners and turns. What is counted of them is in cells.h. Shared by both
 * sides.
 */
#ifndef BRAMBLE_SOCKETS_H
#define BRAMBLE_SOCKETS_H

#include <linux/types.h>

#include "bramble/cells.h"

enum tcp_event {
	TCP_EVENT_SEND,
	TCP_EVENT_RECEIVE,
	TCP_EVENT_ARRIVAL,
	TCP_EVENTS,
};

/*
 * The target of a connection: what its cgroup asked, or at which of its ports it was asked. Only
 * these are kept apart for a cgroup.
 */
enum tcp_target_kind {
	TCP_PEER, /* of a client: the address and the port that it asked for, before any DNAT */
	TCP_PORT, /* of a server: the port of its listening socket */
	TCP_TARGET_KINDS,
};

struct tcp_target {
	__u16 slot; /* whose it is; SOCKET_NOBODY: the slot was given back */
	__u16 port;
	__u32 address[4]; /* big endian; IPv4 is mapped to IPv6. Of a TCP_PORT: 0 */
};

/*
 * A target has a place, by number. 0 is no place: what finds none is counted in the cgroup's
 * struct tcp_cell.
 */
#define TCP_NO_PLACE	   0
#define TCP_PEERS	   2048
#define TCP_PORTS	   512

/* How many a slot has at most. */
#define TCP_SLOT_PEERS	   16
#define TCP_SLOT_PORTS	   8

/*
 * Half of the places are for whoever comes first, but a pod or a unit has a quarter of them at
 * most. Of the other half, it has as many as the quota says. User space counts anew at each update.
 */
#define TCP_SHARED(places) ((places) / 2)
#define TCP_GROUP(places)  ((places) / 8)
#define TCP_PEERS_QUOTA	   TCP_SLOT_PEERS
#define TCP_PORTS_QUOTA	   4

enum tcp_place_state {
	TCP_PLACE_FREE,
	TCP_PLACE_TAKEN,
	TCP_PLACE_CLOSED, /* no new socket finds it: user space will free it */
};

/* All CPUs share them, and add with atomics. */
struct tcp_peer_cell {
	struct tcp_peer_counts counts;
	struct tcp_target target;
	__u32 state; /* enum tcp_place_state */
} __attribute__((aligned(CACHE_LINE)));

struct tcp_port_cell {
	struct tcp_port_counts counts;
	struct tcp_target target;
	__u32 state;
} __attribute__((aligned(CACHE_LINE)));

/* How many targets a slot has. */
struct tcp_slot_targets {
	__u32 count[TCP_TARGET_KINDS];
};

/*
 * The target of a socket, on kernels without BTF. The program of a classic tracepoint leaves it for
 * the program that runs next on this CPU and sees the address of the socket.
 */
struct tcp_record {
	__u64 key; /* 0: it was taken */
	__u32 address[4];
	__u16 port;
};

/*
 * What the tcp programs keep for each CPU. One program may interrupt another, so each counts in a
 * word of its own. The kernel never lets a program interrupt itself.
 */
struct tcp_cpu {
	__u64 events[TCP_EVENTS];
	__u64 child; /* key of a new connection, until its listening socket is notified; or 0 */
	/* Servers' sockets are mostly made in softirq, which may interrupt a client. */
	struct tcp_record record[TCP_TARGET_KINDS];
} __attribute__((aligned(CACHE_LINE)));

/*
 * The sockets, by a hash of their key. The hash gives each socket two sets, and the socket goes
 * into the emptier one. If both are full, it goes into the first of SOCKET_SETS_FAR further sets
 * that has a place. One set is one cache line.
 */
#define SOCKET_SET_BITS 13
#define SOCKET_SETS	(1 << SOCKET_SET_BITS)
#define SOCKET_WAYS	3
#define SOCKET_SETS_FAR 8

/*
 * Half of the places are for whoever comes first. Of the other half, the sockets of one pod or unit
 * have so many. User space counts anew at each update.
 */
#define SOCKETS_SHARED	(SOCKET_SETS * SOCKET_WAYS / 2)
#define SOCKETS_QUOTA	1024

/*
 * The places of the sockets' targets, by set. Written as the owner is. While the owner is
 * SOCKET_UNCLAIMED, the number of the port itself.
 */
struct socket_targets {
	__u16 of[SOCKET_WAYS];
	__u16 unused;
};

/*
 * The kernel changes a socket's state, and reports arrivals, under the socket's lock. It reports
 * sends and receives after releasing the lock, on several CPUs at a time. No writer may overwrite
 * another's change, so each field has its own writers, which are named here.
 */
struct socket_set {
	__u64 key[SOCKET_WAYS];	  /* 0: free */
	__u64 turn[SOCKET_WAYS];  /* TURN_...; all write it, a whole turn at a time */
	__u16 owner[SOCKET_WAYS]; /* a slot; written by a use, or under the lock of a new socket */
	__u16 spoke[SOCKET_WAYS]; /* when data last went either way, in ticks; 0: not yet */
	__u8 state[SOCKET_WAYS];  /* SOCKET_...; written under the lock */
} __attribute__((aligned(CACHE_LINE)));

/* The owner is a slot, or one of these, which lie beyond all slots. */
#define SOCKET_UNCLAIMED   0xfffeU /* no owner yet: a connection not yet counted as accepted */
#define SOCKET_NOBODY	   0xffffU

#define SOCKET_SERVER	   (1U << 0) /* it answers */
#define SOCKET_CLIENT	   (1U << 1) /* it asks */
#define SOCKET_LISTENS	   (1U << 2)
#define SOCKET_CONNECTING  (1U << 3) /* since the time in its turn */
#define SOCKET_ESTABLISHED (1U << 4) /* it is open */
#define SOCKET_FIN	   (1U << 5) /* the peer sends no more data */
#define SOCKET_RETRANSMITS (1U << 6) /* a segment was sent again while it connects */
#define SOCKET_RESET	   (1U << 7) /* a reset came while it connects */

/*
 * A turn has these fields, from the lowest bit:
 *  - a time in ns, modulo 13 days;
 *  - whether the RTT is due to be read;
 *  - whether the last answer was large;
 *  - the known length of the question in bytes, up to 127;
 *  - how likely the connection is a stream, 0 to 7;
 *  - what has happened: TURN_KIND.
 */
#define TURN_TIME_BITS	   50
#define TURN_TIME	   ((1ULL << TURN_TIME_BITS) - 1)
#define TURN_RTT	   (1ULL << 50)
#define TURN_LARGE	   (1ULL << 51)
#define TURN_BYTES_SHIFT   52
#define TURN_BYTES_MAX	   127ULL
#define TURN_BYTES	   (TURN_BYTES_MAX << TURN_BYTES_SHIFT)
#define TURN_STREAM_ONE	   (1ULL << 59)
#define TURN_STREAM	   (7 * TURN_STREAM_ONE)
#define TURN_KIND	   (3ULL << 62)

#define TURN_QUIET	   0ULL		/* nothing has been asked */
#define TURN_ASKED	   (1ULL << 62) /* the time says since when */
/* Only a client: data has come that nobody asked for and nobody has read. It is the rest of an
 * answer, or an answer that came before the send of its question returned. The time is 1 if it came
 * after a silence. */
#define TURN_UNASKED	   (2ULL << 62)
/* Only a server: it has read a question, and more has come that it has not read. That may be more
 * of the question, or the next one. The time is the question's. If the known length is 0, the turn
 * began anew with what has come, and the time is of that. */
#define TURN_MORE	   TURN_UNASKED
/* Something came, perhaps only a FIN. If data is received next, then data came: a server was asked
 * at the turn's time, or a client got its answer after that long. */
#define TURN_UNCERTAIN	   (3ULL << 62)

/* The times of a connection's data are in ticks of 2^30 ns. Two ticks or more are a silence. */
#define TURN_TICK_BITS	   30

#endif
