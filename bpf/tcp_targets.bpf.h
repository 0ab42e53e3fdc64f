/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The targets of connections: the peers that a cgroup asks, and its ports at which it is asked.
 * Their places are taken here, when a socket gets its target or another owner. User space takes
 * them back. Only for bpf/tcp.bpf.c.
 */
#ifndef BRAMBLE_TCP_TARGETS_BPF_H
#define BRAMBLE_TCP_TARGETS_BPF_H

#include "tcp_sock.bpf.h"

/* The places of targets, by target. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TCP_PEERS + TCP_PORTS);
	__type(key, struct tcp_target);
	__type(value, __u32);
} tcp_targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TCP_PEERS);
	__type(key, __u32);
	__type(value, struct tcp_peer_cell);
} tcp_peer_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TCP_PORTS);
	__type(key, __u32);
	__type(value, struct tcp_port_cell);
} tcp_port_cells SEC(".maps");

/* The free places. Stacks, for the reasons of slot_free. User space fills them. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, TCP_PEERS);
	__type(value, __u32);
} tcp_peers_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, TCP_PORTS);
	__type(value, __u32);
} tcp_ports_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct tcp_slot_targets);
} tcp_slot_targets SEC(".maps");

/* How many there are, and of each pod or unit. Written with atomics. */
struct socket_counts tcp_peers_used, tcp_ports_used;

/* What may be taken of one kind. */
struct target_limits {
	__u32 slot, shared, group, quota;
};

/* Whether a slot may have one more target. Two CPUs at once may take one too many. */
static __always_inline bool may_take(__u32 slot, enum tcp_target_kind kind,
				     const struct socket_counts *used,
				     const struct target_limits *limits)
{
	struct tcp_slot_targets *targets = bpf_map_lookup_elem(&tcp_slot_targets, &slot);
	__u64 *id = bpf_map_lookup_elem(&slot_groups, &slot);

	if (!targets || !id || targets->count[kind] >= limits->slot)
		return false;
	return used->of_group[pair_group(*id)] <
	       (used->all < limits->shared ? limits->group : limits->quota);
}

static __always_inline void count_target(__u32 slot, enum tcp_target_kind kind,
					 struct socket_counts *used)
{
	struct tcp_slot_targets *targets = bpf_map_lookup_elem(&tcp_slot_targets, &slot);
	__u64 *id = bpf_map_lookup_elem(&slot_groups, &slot);

	if (!targets || !id)
		return;
	shared_add(&targets->count[kind], 1);
	shared_add(&used->of_group[pair_group(*id)], 1);
	shared_add(&used->all, 1);
}

static __always_inline __u32 target_find(const struct tcp_target *target)
{
	__u32 *place = bpf_map_lookup_elem(&tcp_targets, target);

	return place ? *place : TCP_NO_PLACE;
}

/*
 * Takes a place for a peer that has none. Returns TCP_NO_PLACE if there is none left, or too many
 * are its container's or its pod's.
 */
static __noinline __u32 peer_take(const struct tcp_target *peer)
{
	static const struct target_limits limits = {TCP_SLOT_PEERS, TCP_SHARED(TCP_PEERS),
						    TCP_GROUP(TCP_PEERS), TCP_PEERS_QUOTA};
	struct tcp_peer_cell *cell;
	__u32 place;

	if (!peer || !may_take(peer->slot, TCP_PEER, &tcp_peers_used, &limits) ||
	    bpf_map_pop_elem(&tcp_peers_free, &place))
		goto refused;
	cell = bpf_map_lookup_elem(&tcp_peer_cells, &place);
	if (cell) {
		cell->target = *peer;
		cell->state = TCP_PLACE_TAKEN;
		if (!bpf_map_update_elem(&tcp_targets, peer, &place, BPF_NOEXIST)) {
			count_target(peer->slot, TCP_PEER, &tcp_peers_used);
			return place;
		}
		cell->state = TCP_PLACE_FREE;
	}
	bpf_map_push_elem(&tcp_peers_free, &place, 0);
	place = target_find(peer); /* another CPU was first */
	if (place)
		return place;
refused:
	count_lost(TCP_LOST_PEERS_FULL);
	return TCP_NO_PLACE;
}

/* The same for a port of its own. */
static __noinline __u32 port_take(const struct tcp_target *port)
{
	static const struct target_limits limits = {TCP_SLOT_PORTS, TCP_SHARED(TCP_PORTS),
						    TCP_GROUP(TCP_PORTS), TCP_PORTS_QUOTA};
	struct tcp_port_cell *cell;
	__u32 place;

	if (!port || !may_take(port->slot, TCP_PORT, &tcp_ports_used, &limits) ||
	    bpf_map_pop_elem(&tcp_ports_free, &place))
		goto refused;
	cell = bpf_map_lookup_elem(&tcp_port_cells, &place);
	if (cell) {
		cell->target = *port;
		cell->state = TCP_PLACE_TAKEN;
		if (!bpf_map_update_elem(&tcp_targets, port, &place, BPF_NOEXIST)) {
			count_target(port->slot, TCP_PORT, &tcp_ports_used);
			return place;
		}
		cell->state = TCP_PLACE_FREE;
	}
	bpf_map_push_elem(&tcp_ports_free, &place, 0);
	place = target_find(port);
	if (place)
		return place;
refused:
	count_lost(TCP_LOST_PORTS_FULL);
	return TCP_NO_PLACE;
}

static __always_inline __u32 peer_place(const struct tcp_target *peer)
{
	return target_find(peer) ?: peer_take(peer);
}

static __always_inline __u32 port_place(__u16 slot, __u16 port)
{
	struct tcp_target target = {.slot = slot, .port = port};

	return target_find(&target) ?: port_take(&target);
}

/* Gives a socket that was just added its target. */
static __noinline int aim(__u64 key)
{
	struct tcp_target peer = {};
	struct socket_targets *targets;
	struct socket_set *set;
	__u32 way = socket_find(key, &set);
	__u16 port;

	targets = way < SOCKET_WAYS && set ? targets_of(set) : NULL;
	if (!targets)
		return 0;
	if (set->state[way] & SOCKET_SERVER) {
		port = read_port(key);
		targets->of[way] =
			port && is_owned(set, way) ? port_place(set->owner[way], port) : port;
	} else if (set->state[way] & SOCKET_CLIENT) {
		peer.slot = set->owner[way];
		if (read_peer(key, &peer))
			targets->of[way] = peer_place(&peer);
	}
	return 0;
}

/* The cell of a socket's peer, or of its port; NULL if it has none. It may be another slot's. */
static __always_inline struct tcp_peer_cell *peer_of(const struct socket_set *set, __u32 way)
{
	struct socket_targets *targets = targets_of(set);
	__u32 place = targets ? targets->of[way] : TCP_NO_PLACE;
	struct tcp_peer_cell *cell = bpf_map_lookup_elem(&tcp_peer_cells, &place);

	return cell && cell->state != TCP_PLACE_FREE ? cell : NULL;
}

static __always_inline struct tcp_port_cell *port_of(const struct socket_set *set, __u32 way)
{
	struct socket_targets *targets = targets_of(set);
	__u32 place = targets ? targets->of[way] : TCP_NO_PLACE;
	struct tcp_port_cell *cell = bpf_map_lookup_elem(&tcp_port_cells, &place);

	return cell && cell->state != TCP_PLACE_FREE ? cell : NULL;
}

/* Where a client's socket is counted by peer. cell: its owner's. */
static __always_inline struct tcp_peer_counts *peer_counts(const struct socket_set *set, __u32 way,
							   struct tcp_cell *cell)
{
	struct tcp_peer_cell *peer = peer_of(set, way);

	return peer && peer->target.slot == set->owner[way] ? &peer->counts : &cell->other_peers;
}

/* Where the answers of a server's socket are counted. */
static __always_inline struct hist *server_hist(const struct socket_set *set, __u32 way,
						struct tcp_cell *cell)
{
	struct tcp_port_cell *port = port_of(set, way);

	return port && port->target.slot == set->owner[way] ? &port->counts.response
							    : &cell->response[TCP_SERVER];
}

static __always_inline void count_accepted(const struct socket_set *set, __u32 way)
{
	struct tcp_cell *cell = cell_of(set->owner[way]);
	struct tcp_port_cell *port = port_of(set, way);

	if (port && port->target.slot == set->owner[way])
		shared_add(&port->counts.accepted, 1);
	else if (cell)
		shared_add(&cell->accepted, 1);
}

/* The target that a socket has is from now on one of its new owner's. before: the last owner. */
static __noinline int move_target(struct socket_set *set, __u32 way, __u32 before)
{
	struct socket_targets *targets = set ? targets_of(set) : NULL;
	struct tcp_target peer = {};
	struct tcp_peer_cell *asked;
	struct tcp_port_cell *port;

	if (!targets || way >= SOCKET_WAYS)
		return 0;
	if (before == SOCKET_UNCLAIMED) {
		if (targets->of[way])
			targets->of[way] = port_place(set->owner[way], targets->of[way]);
	} else if (set->state[way] & SOCKET_SERVER) {
		port = port_of(set, way);
		if (port)
			targets->of[way] = port_place(set->owner[way], port->target.port);
	} else if (set->state[way] & SOCKET_CLIENT) {
		asked = peer_of(set, way);
		if (asked) {
			peer = asked->target;
			peer.slot = set->owner[way];
			targets->of[way] = peer_place(&peer);
		}
	}
	return 0;
}

/*
 * Gives a socket another owner. Its first owner has accepted it, which is counted here.
 *
 * Two first uses at the same time would count that twice. For that, the listening socket must have
 * had no owner to pass on, and two threads must use the connection within some ns.
 */
static __always_inline void own(struct socket_set *set, __u32 way, __u16 slot)
{
	__u16 before = set->owner[way];

	set->owner[way] = slot;
	count_sockets(before, -1);
	count_sockets(slot, 1);
	move_target(set, way, before);
	if (before == SOCKET_UNCLAIMED)
		count_accepted(set, way);
}

#endif
