/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The sockets that the tcp programs know, by address, and the cells of their owners. Only for
 * bpf/tcp.bpf.c, because this file defines maps.
 */
#ifndef BRAMBLE_TCP_SOCKETS_BPF_H
#define BRAMBLE_TCP_SOCKETS_BPF_H

#include "bramble/sockets.h"

#include "hist.bpf.h"
#include "slots.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct tcp_cell);
} tcp_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* SOCKET_SETS, set by the loader */
	__type(key, __u32);
	__type(value, struct socket_set);
} tcp_sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* SOCKET_SETS, set by the loader */
	__type(key, __u32);
	__type(value, struct socket_targets);
} tcp_socket_targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct tcp_cpu);
} tcp_cpus SEC(".maps");

/* Written with atomics. */
__u64 tcp_lost[TCP_LOST_REASONS];

/* How many there are. Written with atomics. */
struct socket_counts tcp_counts;

/* How many sockets are in a further set, and in neither of their two. Written with atomics. */
__u64 tcp_far;

static __always_inline void count_lost(enum tcp_lost reason)
{
	shared_add(&tcp_lost[reason], 1);
}

/* The cell of a slot. NULL for SOCKET_UNCLAIMED and SOCKET_NOBODY. */
static __always_inline struct tcp_cell *cell_of(__u32 slot)
{
	return bpf_map_lookup_elem(&tcp_cells, &slot);
}

static __always_inline struct socket_set *socket_set_at(__u32 index)
{
	index &= SOCKET_SETS - 1;
	return bpf_map_lookup_elem(&tcp_sockets, &index);
}

/* One of the two sets where a socket is first looked for. */
static __always_inline struct socket_set *socket_set_of(__u64 key, __u32 choice)
{
	return socket_set_at(hash_u64(key, (choice + 1) * SOCKET_SET_BITS));
}

/* The way of a key in a set, or SOCKET_WAYS if it is not there. The key 0 finds a free way. */
static __always_inline __u32 socket_way(const struct socket_set *set, __u64 key)
{
	_Static_assert(SOCKET_WAYS == SET_WAYS, "way_of() looks at all");
	return way_of(set->key, key);
}

/* Beside a set: the places of its sockets' targets. The set's number follows from its address. */
static __always_inline struct socket_targets *targets_of(const struct socket_set *set)
{
	struct socket_set *first = socket_set_at(0);
	__u32 index;

	if (!first)
		return NULL;
	index = ((__u64)set - (__u64)first) / sizeof(*set);
	return bpf_map_lookup_elem(&tcp_socket_targets, &index);
}

/* Searches a socket's further sets for a key. Their distance depends on the socket's key. */
static __noinline struct socket_set *socket_set_far(__u64 key, __u64 wanted)
{
	__u32 step = hash_u64(key, SOCKET_SET_BITS) | 1, i;
	__u32 index = hash_u64(key, 2 * SOCKET_SET_BITS);
	struct socket_set *set;

	for (i = 0; i < SOCKET_SETS_FAR; i++) {
		index += step;
		set = socket_set_at(index);
		if (set && socket_way(set, wanted) < SOCKET_WAYS)
			return set;
	}
	return NULL;
}

/* Finds a socket: its set, and its way there. SOCKET_WAYS if the socket is not known. */
static __always_inline __u32 socket_find(__u64 key, struct socket_set **found)
{
	struct socket_set *set = socket_set_of(key, 0);
	__u32 way;

	*found = set;
	if (!set)
		return SOCKET_WAYS;
	way = socket_way(set, key);
	if (way < SOCKET_WAYS)
		return way;
	set = socket_set_of(key, 1);
	*found = set;
	if (!set)
		return SOCKET_WAYS;
	way = socket_way(set, key);
	if (way < SOCKET_WAYS || !tcp_far)
		return way;
	set = socket_set_far(key, key);
	*found = set;
	return set ? socket_way(set, key) : SOCKET_WAYS;
}

static __always_inline __u32 free_ways(const struct socket_set *set)
{
	return !set->key[0] + !set->key[1] + !set->key[2];
}

/* Finds a place for a new socket: a set and a free way, or SOCKET_WAYS if there is none. */
static __always_inline __u32 socket_place(__u64 key, struct socket_set **found)
{
	struct socket_set *set = socket_set_of(key, 0), *other = socket_set_of(key, 1);
	__u32 way;

	if (set && other && free_ways(other) > free_ways(set))
		set = other;
	*found = set;
	if (!set)
		return SOCKET_WAYS;
	way = socket_way(set, 0);
	if (way < SOCKET_WAYS)
		return way;
	set = socket_set_far(key, 0);
	*found = set;
	way = set ? socket_way(set, 0) : SOCKET_WAYS;
	if (way < SOCKET_WAYS)
		shared_add(&tcp_far, 1);
	return way;
}

/* Adds to the number of sockets of an owner's pod or unit. */
static __always_inline void count_sockets(__u32 owner, __s32 n)
{
	__u64 *id = bpf_map_lookup_elem(&slot_groups, &owner);

	if (id)
		shared_add(&tcp_counts.of_group[pair_group(*id)], n);
}

/*
 * Whether an owner may have one more socket. A socket without an owner may be added: it soon gets
 * one. User space counts anew, so the numbers may be too low for a moment, and even below zero.
 */
static __always_inline bool may_add(__u32 owner)
{
	__u64 *id;

	if ((__s32)tcp_counts.all < SOCKETS_SHARED)
		return true;
	id = bpf_map_lookup_elem(&slot_groups, &owner);
	return !id || (__s32)tcp_counts.of_group[pair_group(*id)] < SOCKETS_QUOTA;
}

/*
 * Adds a socket that is not known, or whose end was missed. Returns false if there is no place, or
 * the owner's pod or unit has its quota.
 *
 * Two CPUs may take the same place at once. Then one of the two sockets is not known. It is counted
 * as lost when it is next needed, in the same way as a socket without a place.
 */
static __always_inline bool enter(__u64 key, __u8 state, __u16 owner, __u64 turn)
{
	struct socket_targets *targets;
	struct socket_set *set;
	__u32 way = socket_find(key, &set);

	if (way == SOCKET_WAYS) {
		if (!may_add(owner))
			return false;
		way = socket_place(key, &set);
		if (way == SOCKET_WAYS || !set)
			return false;
		shared_add(&tcp_counts.all, 1);
		count_sockets(owner, 1);
	}
	targets = set ? targets_of(set) : NULL;
	if (!targets)
		return false;
	targets->of[way] = TCP_NO_PLACE; /* until it is aimed */
	set->turn[way] = turn;
	set->owner[way] = owner;
	set->state[way] = state;
	set->spoke[way] = 0;
	set->key[way] = key;
	return true;
}

/* Removes a socket. Returns false if it is not known. */
static __always_inline bool forget(__u64 key)
{
	struct socket_set *set = socket_set_of(key, 0);
	__u32 way = set ? socket_way(set, key) : SOCKET_WAYS;

	if (way == SOCKET_WAYS) {
		set = socket_set_of(key, 1);
		way = set ? socket_way(set, key) : SOCKET_WAYS;
	}
	if (way == SOCKET_WAYS && tcp_far) {
		set = socket_set_far(key, key);
		way = set ? socket_way(set, key) : SOCKET_WAYS;
		if (way < SOCKET_WAYS)
			shared_add(&tcp_far, -1);
	}
	if (way == SOCKET_WAYS || !set)
		return false;
	if (set->owner[way] == SOCKET_UNCLAIMED)
		count_lost(TCP_LOST_NO_OWNER);
	shared_add(&tcp_counts.all, -1);
	count_sockets(set->owner[way], -1);
	set->key[way] = 0;
	return true;
}

static __always_inline bool is_owned(const struct socket_set *set, __u32 way)
{
	return set->owner[way] < SLOTS_MAX;
}

#endif
