/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/tcp_targets.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/roots.h"
#include "probe/slots.h"
#include "util/array.h"
#include "util/clock.h"

#include "bramble.skel.h"

/*
 * A target without a socket, for which nothing was counted for so long, is idle. The fewer places
 * are free, the sooner it is, and also if its slot has all that it may have.
 */
static const struct {
	unsigned int part; /* if less than one in so many places is free */
	uint64_t idle_ns;
} limits[] = {
	{8, 10 * NS_PER_S},
	{4, 60 * NS_PER_S},
};
#define IDLE_NS	     (300 * NS_PER_S)
#define IDLE_FULL_NS (60 * NS_PER_S)

static const struct kind {
	unsigned int places, slot_max;
} kinds[TCP_TARGET_KINDS] = {
	[TCP_PEER] = {TCP_PEERS, TCP_SLOT_PEERS},
	[TCP_PORT] = {TCP_PORTS, TCP_SLOT_PORTS},
};

/* What is known of a place. */
struct place {
	uint64_t since_ns; /* when it was closed; before that, when it was last seen to count */
	uint64_t counted;  /* changes if anything was counted */
	bool used;	   /* a socket has this target */
	bool done;	   /* closed, and no socket can get at it any more */
};

struct tcp_targets {
	struct place *places[TCP_TARGET_KINDS];
	/* Mapped while they are needed. */
	struct tcp_peer_cell *peers;
	struct tcp_port_cell *ports;
	struct socket_targets *of_sockets;
	struct tcp_slot_targets *of_slots;
};

static struct bpf_map *free_map(const struct probe *probe, enum tcp_target_kind kind)
{
	return kind == TCP_PEER ? probe->bpf->maps.tcp_peers_free : probe->bpf->maps.tcp_ports_free;
}

static struct socket_counts *used_of(const struct probe *probe, enum tcp_target_kind kind)
{
	return kind == TCP_PEER ? &probe->bpf->bss->tcp_peers_used
				: &probe->bpf->bss->tcp_ports_used;
}

int tcp_targets_size(struct probe *probe)
{
	int err = bpf_map__set_max_entries(probe->bpf->maps.tcp_socket_targets, SOCKET_SETS);

	return err ?: bpf_map__set_max_entries(probe->bpf->maps.tcp_slot_targets, probe->slots);
}

/* A stack, unless it was filled before. The last place is pushed first, so the lowest come first.
 */
static int fill_free(const struct probe *probe, enum tcp_target_kind kind)
{
	int fd = bpf_map__fd(free_map(probe, kind));
	unsigned int place;

	if (!bpf_map_lookup_elem(fd, NULL, &place))
		return 0;
	for (place = kinds[kind].places - 1; place > TCP_NO_PLACE; place--)
		if (bpf_map_update_elem(fd, NULL, &place, BPF_ANY))
			return -errno;
	return 0;
}

int tcp_targets_open(struct probe *probe, struct tcp_targets **out)
{
	struct tcp_targets *targets = calloc(1, sizeof(*targets));
	int kind, err = 0;

	*out = targets;
	if (!targets)
		return -ENOMEM;
	for (kind = 0; kind < TCP_TARGET_KINDS && !err; kind++) {
		targets->places[kind] = calloc(kinds[kind].places, sizeof(*targets->places[kind]));
		err = targets->places[kind] ? fill_free(probe, kind) : -ENOMEM;
	}
	return err;
}

void tcp_targets_close(struct tcp_targets *targets)
{
	int kind;

	if (!targets)
		return;
	for (kind = 0; kind < TCP_TARGET_KINDS; kind++)
		free(targets->places[kind]);
	free(targets);
}

static void unmap_cells(struct probe *probe, struct tcp_targets *targets)
{
	probe_unmap_array(probe->bpf->maps.tcp_peer_cells, targets->peers);
	probe_unmap_array(probe->bpf->maps.tcp_port_cells, targets->ports);
	targets->peers = NULL;
	targets->ports = NULL;
}

static int map_cells(struct probe *probe, struct tcp_targets *targets)
{
	targets->peers = probe_map_array(probe->bpf->maps.tcp_peer_cells);
	targets->ports = probe_map_array(probe->bpf->maps.tcp_port_cells);
	if (targets->peers && targets->ports)
		return 0;
	unmap_cells(probe, targets);
	return -ENOMEM;
}

static void unmap_all(struct probe *probe, struct tcp_targets *targets)
{
	probe_unmap_array(probe->bpf->maps.tcp_socket_targets, targets->of_sockets);
	probe_unmap_array(probe->bpf->maps.tcp_slot_targets, targets->of_slots);
	unmap_cells(probe, targets);
	targets->of_sockets = NULL;
	targets->of_slots = NULL;
}

/* ---- cells of both kinds */

static struct tcp_target *target_at(const struct tcp_targets *targets, enum tcp_target_kind kind,
				    unsigned int place)
{
	return kind == TCP_PEER ? &targets->peers[place].target : &targets->ports[place].target;
}

static __u32 *state_at(const struct tcp_targets *targets, enum tcp_target_kind kind,
		       unsigned int place)
{
	return kind == TCP_PEER ? &targets->peers[place].state : &targets->ports[place].state;
}

/* The programs write it. */
static enum tcp_place_state state_of(const struct tcp_targets *targets, enum tcp_target_kind kind,
				     unsigned int place)
{
	return __atomic_load_n(state_at(targets, kind, place), __ATOMIC_ACQUIRE);
}

/* A number that changes if anything was counted. */
static uint64_t counted_at(const struct tcp_targets *targets, enum tcp_target_kind kind,
			   unsigned int place)
{
	const volatile struct tcp_peer_counts *peer = &targets->peers[place].counts;
	const volatile struct tcp_port_counts *port;

	if (kind == TCP_PEER)
		return peer->exchanges + peer->failures + peer->retransmits;
	port = &targets->ports[place].counts;
	return port->accepted + port->response.sum_ns;
}

/* ---- a count */

int tcp_targets_begin(struct probe *probe, struct tcp_targets *targets)
{
	int kind, err = map_cells(probe, targets);
	unsigned int place;

	targets->of_sockets = probe_map_array(probe->bpf->maps.tcp_socket_targets);
	targets->of_slots = probe_map_array(probe->bpf->maps.tcp_slot_targets);
	if (err || !targets->of_sockets || !targets->of_slots) {
		unmap_all(probe, targets);
		return -ENOMEM;
	}
	for (kind = 0; kind < TCP_TARGET_KINDS; kind++)
		for (place = 0; place < kinds[kind].places; place++)
			targets->places[kind][place].used = false;
	return 0;
}

void tcp_targets_note(struct tcp_targets *targets, unsigned int set,
		      const volatile struct socket_set *sockets)
{
	const volatile struct socket_targets *of = &targets->of_sockets[set];
	enum tcp_target_kind kind;
	unsigned int way;

	for (way = 0; way < SOCKET_WAYS; way++) {
		unsigned int place = of->of[way];

		/* Without an owner, it is the number of the port. */
		if (!sockets->key[way] || sockets->owner[way] == SOCKET_UNCLAIMED)
			continue;
		kind = sockets->state[way] & SOCKET_SERVER ? TCP_PORT : TCP_PEER;
		if (place < kinds[kind].places)
			targets->places[kind][place].used = true;
	}
}

static int forget_target(struct probe *probe, const struct tcp_target *target)
{
	int fd = bpf_map__fd(probe->bpf->maps.tcp_targets);

	return bpf_map_delete_elem(fd, target) && errno != ENOENT ? -errno : 0;
}

static int close_place(struct probe *probe, struct tcp_targets *targets, enum tcp_target_kind kind,
		       unsigned int place, uint64_t now_ns)
{
	int err = forget_target(probe, target_at(targets, kind, place));

	if (err)
		return err;
	__atomic_store_n(state_at(targets, kind, place), TCP_PLACE_CLOSED, __ATOMIC_RELEASE);
	targets->places[kind][place].since_ns = now_ns;
	return 0;
}

/* Counts a target in the quotas of its slot, and of its pod or unit. */
static void count_target(struct probe *probe, struct tcp_targets *targets,
			 enum tcp_target_kind kind, unsigned int slot)
{
	struct socket_counts *used = used_of(probe, kind);
	uint32_t group;

	if (slot >= probe->slots)
		return;
	group = pair_group(probe_slot_group(probe, slot));
	__atomic_add_fetch(&targets->of_slots[slot].count[kind], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&used->of_group[group], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&used->all, 1, __ATOMIC_RELAXED);
}

/* Counts all anew. One that is taken meanwhile may not be counted, until the next time. */
static void count_targets(struct probe *probe, struct tcp_targets *targets,
			  enum tcp_target_kind kind)
{
	unsigned int slot, place;

	for (slot = 0; slot < probe->slots; slot++)
		targets->of_slots[slot].count[kind] = 0;
	memset(used_of(probe, kind), 0, sizeof(struct socket_counts));
	for (place = 1; place < kinds[kind].places; place++)
		if (state_of(targets, kind, place) == TCP_PLACE_TAKEN)
			count_target(probe, targets, kind, target_at(targets, kind, place)->slot);
}

/* After which time without a count a target of this slot is idle. */
static uint64_t idle_ns(const struct probe *probe, const struct tcp_targets *targets,
			enum tcp_target_kind kind, unsigned int slot)
{
	unsigned int used = used_of(probe, kind)->all, all = kinds[kind].places;
	unsigned int left = used < all ? all - used : 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (left < all / limits[i].part)
			return limits[i].idle_ns;
	if (slot < probe->slots && targets->of_slots[slot].count[kind] >= kinds[kind].slot_max)
		return IDLE_FULL_NS;
	return IDLE_NS;
}

/* Closes a place if its target is idle, and finds out when no socket can get at a closed one. */
static int look_at(struct probe *probe, struct tcp_targets *targets, enum tcp_target_kind kind,
		   unsigned int index, uint64_t now_ns)
{
	struct place *place = &targets->places[kind][index];
	uint64_t counted = counted_at(targets, kind, index);

	switch (state_of(targets, kind, index)) {
	case TCP_PLACE_TAKEN:
		if (place->used || !place->since_ns || counted != place->counted)
			place->since_ns = now_ns;
		place->counted = counted;
		if (grown(now_ns, place->since_ns) <
		    idle_ns(probe, targets, kind, target_at(targets, kind, index)->slot))
			return 0;
		return close_place(probe, targets, kind, index, now_ns);
	case TCP_PLACE_CLOSED:
		/* A program may have found it just before it was closed. */
		place->done = !place->used && grown(now_ns, place->since_ns) >= PROBE_CLOSING_NS;
		return 0;
	default:
		return 0;
	}
}

int tcp_targets_end(struct probe *probe, struct tcp_targets *targets, uint64_t now_ns)
{
	unsigned int place;
	int kind, err = 0;

	for (kind = 0; kind < TCP_TARGET_KINDS; kind++) {
		count_targets(probe, targets, kind);
		for (place = 1; place < kinds[kind].places; place++)
			err = look_at(probe, targets, kind, place, now_ns) ?: err;
	}
	unmap_all(probe, targets);
	return err;
}

int tcp_targets_free_slots(struct probe *probe, struct tcp_targets *targets, uint64_t now_ns)
{
	int kind, failed, err = map_cells(probe, targets);
	unsigned int place;

	if (err)
		return err;
	for (kind = 0; kind < TCP_TARGET_KINDS; kind++)
		for (place = 1; place < kinds[kind].places; place++) {
			if (state_of(targets, kind, place) == TCP_PLACE_FREE ||
			    !probe_is_freed(probe, target_at(targets, kind, place)->slot))
				continue;
			failed = close_place(probe, targets, kind, place, now_ns);
			if (failed)
				err = failed;
			else
				target_at(targets, kind, place)->slot = SOCKET_NOBODY;
		}
	unmap_cells(probe, targets);
	return err;
}

/* ---- reading */

static int free_place(struct probe *probe, struct tcp_targets *targets, enum tcp_target_kind kind,
		      unsigned int place)
{
	if (kind == TCP_PEER)
		memset(&targets->peers[place], 0, sizeof(targets->peers[place]));
	else
		memset(&targets->ports[place], 0, sizeof(targets->ports[place]));
	targets->places[kind][place] = (struct place){0};
	return bpf_map_update_elem(bpf_map__fd(free_map(probe, kind)), NULL, &place, BPF_ANY)
		       ? -errno
		       : 0;
}

/* Calls each for a place that is not free, and frees it after its last reading. */
static int read_place(struct probe *probe, struct tcp_targets *targets, enum tcp_target_kind kind,
		      unsigned int place, probe_target_fn each, void *context)
{
	struct probe_target target = {.kind = kind, .place = place};

	if (state_of(targets, kind, place) == TCP_PLACE_FREE)
		return 0;
	target.target = *target_at(targets, kind, place);
	target.last = targets->places[kind][place].done;
	if (kind == TCP_PEER)
		target.peer = &targets->peers[place].counts;
	else
		target.port = &targets->ports[place].counts;
	return each(context, &target) && target.last ? free_place(probe, targets, kind, place) : 0;
}

int tcp_targets_read(struct probe *probe, struct tcp_targets *targets, probe_target_fn each,
		     void *context)
{
	int kind, err = map_cells(probe, targets);
	unsigned int place;

	if (err)
		return err;
	for (kind = 0; kind < TCP_TARGET_KINDS; kind++)
		for (place = 1; place < kinds[kind].places; place++)
			err = read_place(probe, targets, kind, place, each, context) ?: err;
	unmap_cells(probe, targets);
	return err;
}
