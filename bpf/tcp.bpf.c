/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What TCP does to each cgroup: connects, answers, round trips, bytes. The rules
 * are in docs/tcp.md.
 *
 * Sockets are told apart by a key, the address of their struct sock. A socket
 * is known from the moment it connects, listens or comes out of a handshake,
 * or from its first use if it was there before. It belongs to the cgroup that
 * uses it: what happens in process context is counted for the current task, and
 * sets the owner; what happens in softirq goes to the owner of the time.
 *
 * A program of process context may be interrupted by another one in softirq on
 * its CPU, and a socket has a user and a softirq at once: the cells are added
 * to with atomics, and a socket's fields have one writer each (struct socket_set).
 */
#include <stdbool.h>

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "hist.bpf.h"
#include "sched.bpf.h"

/* Numbers of the kernel's interfaces that do not change. */
#define AF_INET	     2
#define AF_INET6     10
#define IPPROTO_TCP  6
#define MSG_PEEK     0x2
#define MSG_ERRQUEUE 0x2000
#define ECONNREFUSED 111
#define ETIMEDOUT    110

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

/* The root of the cgroups; the kernel's own doings are counted for it. */

/*
 * A send longer than this may have waited for the reader, and returned long
 * after its first byte was sent. sendfile() sends as much in one step.
 */
#define LONG_SEND	65536

/* The first port of net.ipv4.ip_local_port_range, as it is by default. */
#define EPHEMERAL_PORT	32768

/* The RTT of a connection in use is read once in 2^30 ns. */
#define RTT_PERIOD_BITS 30

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
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct tcp_cpu);
} tcp_cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* SOCKET_SETS, set by the loader */
	__type(key, __u32);
	__type(value, struct socket_set);
} tcp_sockets SEC(".maps");

/* Written with atomics. */
__u64 tcp_lost[TCP_LOST_REASONS];

/* Sockets that are in none of their two sets, but further away. Written with atomics. */
__u64 tcp_far;

static __always_inline void count_lost(enum tcp_lost reason)
{
	shared_add(&tcp_lost[reason], 1);
}

/* NULL for the owner of a socket that is nobody's. */
static __always_inline struct tcp_cell *cell_of(__u32 slot)
{
	return bpf_map_lookup_elem(&tcp_cells, &slot);
}

static __always_inline void observe(struct hist *hist, __u64 ns)
{
	if ((__s64)ns < 0)
		count_lost(TCP_LOST_CLOCK);
	else
		hist_add_shared(hist, ns);
}

/* ------------------------------------------------------------------ what BTF tells */

/* It was made for the kernel itself: NFS, iSCSI. sk is a full one. */
static __always_inline bool is_of_kernel(const struct sock *sk)
{
	return bpf_core_field_exists(struct sock, sk_kern_sock) &&
	       BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

/* The cgroup that made the socket or its listening socket; 0 if that cannot be told. */
static __always_inline __u64 cgroup_of(const struct sock *sk)
{
	struct cgroup *cgroup = NULL;
	__u64 id;

	if (bpf_core_field_exists(struct sock_cgroup_data, cgroup)) {
		cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	} else if (bpf_core_field_exists(struct sock_cgroup_data___old, val)) {
		__u64 val = BPF_CORE_READ((const struct sock___old *)sk, sk_cgrp_data.val);

		if (!(val & 1))
			cgroup = (struct cgroup *)val;
	}
	if (!cgroup)
		return 0;
	id = BPF_CORE_READ(cgroup, kn, id);
	/* In the root there are sockets of processes, and the kernel's own. */
	return id == ROOT_CGROUP_ID && is_of_kernel(sk) ? KERNEL_CGROUP_ID : id;
}

/* Not what is left of a connection, or not yet one: these have no owner. */
static __always_inline bool is_full(const struct sock *sk)
{
	unsigned char state = BPF_CORE_READ(sk, __sk_common.skc_state);

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/* Other protocols use the states of TCP, too. Without BTF it is taken for TCP. */
static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family;

	if (!bpf_core_field_exists(struct sock, sk_protocol))
		return true;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	return (family == AF_INET || family == AF_INET6) &&
	       BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
}

static __always_inline __u64 rtt_ns(const struct sock *sk)
{
	if (!bpf_core_field_exists(struct tcp_sock, srtt_us))
		return 0;
	return (__u64)(BPF_CORE_READ((const struct tcp_sock *)sk, srtt_us) >> 3) * 1000;
}

static __always_inline void observe_rtt(struct tcp_cell *cell, const struct sock *sk)
{
	__u64 ns = rtt_ns(sk);

	if (ns)
		hist_add_shared(&cell->rtt, ns);
}

/* ------------------------------------------------------------------ sockets */

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

/* The way of a key in a set; of 0: a free one. SOCKET_WAYS if there is none. */
static __always_inline __u32 socket_way(const struct socket_set *set, __u64 key)
{
	if (set->key[0] == key)
		return 0;
	if (set->key[1] == key)
		return 1;
	if (set->key[2] == key)
		return 2;
	return SOCKET_WAYS;
}

/* The same in the further sets of a socket: those a step of its own apart. */
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

/* Finds a socket: its set, and its way there, which is SOCKET_WAYS if it is not known. */
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

/* Finds a place for a socket that is not known: a set and a free way, or SOCKET_WAYS. */
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

/*
 * Takes a socket in that was not known, or whose end was missed. False if there is no place.
 *
 * Two CPUs may take the same place at once: then one of the two sockets is not known, which is
 * counted where it should be, as with one that found none.
 */
static __always_inline bool enter(__u64 key, __u8 state, __u16 owner, __u64 turn)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set);

	if (way == SOCKET_WAYS)
		way = socket_place(key, &set);
	if (way == SOCKET_WAYS || !set)
		return false;
	set->turn[way] = turn;
	set->owner[way] = owner;
	set->state[way] = state;
	set->rtt_period[way] = 0;
	set->key[way] = key;
	return true;
}

/* Forgets a socket. False if it is not known. */
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
	set->key[way] = 0;
	return true;
}

/*
 * A socket gets another owner. The first one has accepted it.
 *
 * Two first uses at the same time count that twice. It takes two threads, and a connection that
 * its listening socket could not pass on to an owner, and some ns.
 */
static __always_inline void own(struct socket_set *set, __u32 way, __u16 slot)
{
	__u16 before = set->owner[way];
	struct tcp_cell *cell;

	set->owner[way] = slot;
	if (before != SOCKET_UNCLAIMED)
		return;
	cell = cell_of(slot);
	if (cell)
		shared_add(&cell->accepted, 1);
}

static __always_inline bool is_owned(const struct socket_set *set, __u32 way)
{
	return set->owner[way] < SLOTS_MAX;
}

/* ------------------------------------------------------------------ process context */

static __always_inline __u32 slot_of_user(void *ctx, struct tcp_cpu **cpu)
{
	__u32 index = bpf_get_smp_processor_id();

	*cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	return slot_of_running(ctx, index);
}

/*
 * A socket that was there before the probe, or found no place when it was made: from a use on it
 * is known. Who asks is told by the ports, if one alone is of the range from which the kernel
 * gives ports to clients; if that says nothing, nobody does.
 *
 * Two threads' uses at the same time may take it in twice. The first place counts, and the other
 * one is given back with it.
 */
static __noinline int adopt(__u64 key, __u32 slot)
{
	const struct sock *sk = (const struct sock *)key;
	unsigned char kernels = BPF_CORE_READ(sk, __sk_common.skc_state);
	__u16 local, remote;
	__u8 state = 0;

	if (kernels == TCP_ESTABLISHED || kernels == TCP_CLOSE_WAIT)
		state |= SOCKET_ESTABLISHED;
	if (kernels != TCP_ESTABLISHED)
		state |= SOCKET_FIN;
	remote = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	local = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (local < EPHEMERAL_PORT && remote >= EPHEMERAL_PORT)
		state |= SOCKET_SERVER;
	else if (remote < EPHEMERAL_PORT && local >= EPHEMERAL_PORT)
		state |= SOCKET_CLIENT;
	if (!enter(key, state, slot, TURN_QUIET))
		count_lost(TCP_LOST_NO_PLACE);
	return 0;
}

/*
 * Counts what the current task has sent or received. Finds the socket, which it owns from now
 * on; SOCKET_WAYS if it is not known, or none of TCP.
 */
static __always_inline __u32 socket_use(void *ctx, __u64 key, enum tcp_direction direction,
					__u32 bytes, struct socket_set **set,
					struct tcp_cell **cell)
{
	__u32 way = socket_find(key, set), slot;
	bool known = way < SOCKET_WAYS;
	struct tcp_cpu *cpu;

	/* Most are no sockets of TCP: these are to cost little. */
	if (!known &&
	    (!bpf_core_field_exists(struct sock, sk_protocol) || !is_tcp((const struct sock *)key)))
		return SOCKET_WAYS;
	slot = slot_of_user(ctx, &cpu);
	if (cpu)
		cpu->events[direction == TCP_SENT ? TCP_EVENT_SEND : TCP_EVENT_RECEIVE]++;
	*cell = cell_of(slot);
	if (!*cell)
		return SOCKET_WAYS;
	shared_add(&(*cell)->bytes[direction], bytes);
	/* The second is known here, but not to every verifier. */
	if (!known && bpf_core_field_exists(struct sock, sk_protocol)) {
		adopt(key, slot);
		way = socket_find(key, set);
	}
	if (way < SOCKET_WAYS && (*set)->owner[way] != slot)
		own(*set, way, slot);
	return way;
}

static __always_inline void read_rtt(struct socket_set *set, __u32 way, struct tcp_cell *cell,
				     __u64 key, __u64 now)
{
	__u8 period = now >> RTT_PERIOD_BITS;

	if (set->rtt_period[way] == period)
		return;
	set->rtt_period[way] = period;
	observe_rtt(cell, (const struct sock *)key);
}

/* A server has sent: the answer, if it was asked. */
static __always_inline bool server_sent(struct socket_set *set, __u32 way, struct tcp_cell *cell,
					int bytes, __u64 *now)
{
	__u64 turn = set->turn[way];

	if (turn == TURN_QUIET)
		return false;
	*now = bpf_ktime_get_ns();
	set->turn[way] = TURN_QUIET;
	if ((turn & TURN_KIND) == TURN_UNCERTAIN)
		return true;
	if (bytes > LONG_SEND)
		count_lost(TCP_LOST_LONG_SEND);
	else
		observe(&cell->response[TCP_SERVER], *now - (turn & TURN_TIME));
	return true;
}

/* A client has sent: a question, or more of one. */
static __always_inline bool client_sent(struct socket_set *set, __u32 way, __u64 *now)
{
	__u64 turn = set->turn[way], kind = turn & TURN_KIND;

	if (kind == TURN_ASKED || kind == TURN_UNCERTAIN)
		return false;
	*now = bpf_ktime_get_ns();
	if (kind == TURN_UNASKED ||
	    __sync_val_compare_and_swap(&set->turn[way], TURN_QUIET, TURN_ASKED | *now)) {
		/* TURN_UNASKED, perhaps since a moment ago. Kernels with this event have cmpxchg.
		 */
		set->turn[way] = TURN_QUIET;
		count_lost(TCP_LOST_OVERTAKEN);
	}
	return true;
}

/* TP_PROTO(struct sock *sk, int ret, int flags): after a sendmsg() of any kind of socket */
SEC("?raw_tp/sock_send_length")
int tcp_sock_send(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0], now;
	int ret = ctx->args[1];
	struct socket_set *set;
	struct tcp_cell *cell;
	__u32 way;
	bool turned = false;

	if (ret <= 0)
		return 0;
	way = socket_use(ctx, key, TCP_SENT, ret, &set, &cell);
	if (way == SOCKET_WAYS)
		return 0;
	if (set->state[way] & SOCKET_SERVER)
		turned = server_sent(set, way, cell, ret, &now);
	else if (set->state[way] & SOCKET_CLIENT)
		turned = client_sent(set, way, &now);
	if (turned)
		read_rtt(set, way, cell, key, now);
	return 0;
}

/* Data was received after all with what might have been no more than the peer's FIN. */
static __always_inline void make_certain(struct socket_set *set, __u32 way, struct tcp_cell *cell)
{
	__u64 time = set->turn[way] & TURN_TIME;

	if (set->state[way] & SOCKET_SERVER) {
		set->turn[way] = TURN_ASKED | time;
	} else {
		set->turn[way] = TURN_QUIET;
		observe(&cell->response[TCP_CLIENT], time);
	}
}

/* TP_PROTO(struct sock *sk, int ret, int flags): after a recvmsg() of any kind of socket */
SEC("?raw_tp/sock_recv_length")
int tcp_sock_recv(struct bpf_raw_tracepoint_args *ctx)
{
	int ret = ctx->args[1], flags = ctx->args[2];
	struct socket_set *set;
	struct tcp_cell *cell;
	__u64 kind;
	__u32 way;

	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	way = socket_use(ctx, ctx->args[0], TCP_RECEIVED, ret, &set, &cell);
	if (way == SOCKET_WAYS)
		return 0;
	kind = set->turn[way] & TURN_KIND;
	if (kind == TURN_UNCERTAIN)
		make_certain(set, way, cell);
	else if (kind == TURN_UNASKED)
		set->turn[way] = TURN_QUIET;
	return 0;
}

/* ------------------------------------------------------------------ softirq */

/* A listening socket is told of a connection: that belongs to the same cgroup, as long as
 * nothing else is known. */
static __always_inline void inherit(struct tcp_cpu *cpu, __u16 parent)
{
	struct socket_set *set;
	__u32 way;

	if (!cpu->child)
		return;
	way = socket_find(cpu->child, &set);
	cpu->child = 0;
	if (way < SOCKET_WAYS && parent < SLOTS_MAX && !is_owned(set, way))
		own(set, way, parent);
}

/* The first byte of an answer, or perhaps no more than a FIN. */
static __always_inline void answered(struct socket_set *set, __u32 way)
{
	__u64 ns = bpf_ktime_get_ns() - (set->turn[way] & TURN_TIME);
	struct tcp_cell *cell;

	if (set->state[way] & SOCKET_FIN && (__s64)ns >= 0) {
		set->turn[way] = TURN_UNCERTAIN | ns;
		return;
	}
	set->turn[way] = TURN_QUIET;
	cell = cell_of(set->owner[way]);
	if (cell)
		observe(&cell->response[TCP_CLIENT], ns);
}

static __always_inline void server_got(struct socket_set *set, __u32 way)
{
	if (set->turn[way] == TURN_QUIET)
		set->turn[way] = bpf_ktime_get_ns() |
				 (set->state[way] & SOCKET_FIN ? TURN_UNCERTAIN : TURN_ASKED);
}

static __always_inline void client_got(struct socket_set *set, __u32 way)
{
	__u64 turn = set->turn[way];

	if ((turn & TURN_KIND) == TURN_ASKED)
		answered(set, way);
	else if (turn == TURN_QUIET && !(set->state[way] & SOCKET_FIN))
		set->turn[way] = TURN_UNASKED;
}

/* TP_PROTO(const struct sock *sk): data, a connection or a FIN waits in a socket of any kind */
SEC("?raw_tp/sk_data_ready")
int tcp_data_ready(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 index = bpf_get_smp_processor_id();
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	struct socket_set *set;
	__u32 way = socket_find(ctx->args[0], &set);
	__u8 state;

	if (way == SOCKET_WAYS || !cpu)
		return 0;
	cpu->events[TCP_EVENT_ARRIVAL]++;
	state = set->state[way];
	if (state & SOCKET_LISTENS)
		inherit(cpu, set->owner[way]);
	else if (state & SOCKET_SERVER)
		server_got(set, way);
	else if (state & SOCKET_CLIENT && !(state & SOCKET_CONNECTING))
		client_got(set, way);
	return 0;
}

/* ------------------------------------------------------------------ states */

static __always_inline enum tcp_connect_failure failure_of(const struct sock *sk, __u8 state)
{
	int err = 0;

	if (bpf_core_field_exists(struct sock, sk_err))
		err = BPF_CORE_READ(sk, sk_err);
	if (err == ECONNREFUSED || (!err && state & SOCKET_RESET))
		return TCP_CONNECT_REFUSED;
	/* The program gave up earlier than the kernel, but saw no answer either. */
	if (err == ETIMEDOUT || (!err && state & SOCKET_RETRANSMITS))
		return TCP_CONNECT_TIMEOUT;
	return TCP_CONNECT_OTHER;
}

/* A connect is over, well or not. Returns since when it has run. */
static __always_inline __u64 end_connecting(struct socket_set *set, __u32 way)
{
	__u64 since = set->turn[way] & TURN_TIME;

	set->state[way] &= ~SOCKET_CONNECTING;
	set->turn[way] = TURN_QUIET;
	return since;
}

static __always_inline void connected(struct socket_set *set, __u32 way, const struct sock *sk)
{
	__u64 ns = bpf_ktime_get_ns() - end_connecting(set, way);
	struct tcp_cell *cell = cell_of(set->owner[way]);

	if (!cell)
		return;
	observe(&cell->connect, ns);
	/* Without BTF the handshake is the one round trip that is seen, if it went well. */
	if (!bpf_core_field_exists(struct tcp_sock, srtt_us) &&
	    !(set->state[way] & SOCKET_RETRANSMITS))
		observe(&cell->rtt, ns);
}

static __noinline int established(__u64 key, int before)
{
	__u32 index = bpf_get_smp_processor_id(), way;
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	const struct sock *sk = (const struct sock *)key;
	struct socket_set *set;
	struct tcp_cell *cell;

	way = socket_find(key, &set);
	if (way == SOCKET_WAYS || !cpu) {
		/* Then it was to be taken in. */
		if (before == TCP_SYN_SENT || before == TCP_SYN_RECV)
			count_lost(TCP_LOST_NO_PLACE);
		return 0;
	}
	if (set->state[way] & SOCKET_ESTABLISHED)
		return 0;
	set->state[way] |= SOCKET_ESTABLISHED;
	if (set->state[way] & SOCKET_CONNECTING)
		connected(set, way, sk);
	if (!is_owned(set, way)) {
		cpu->child = key;
		return 0;
	}
	cell = cell_of(set->owner[way]);
	if (!cell)
		return 0;
	if (set->state[way] & SOCKET_SERVER)
		shared_add(&cell->accepted, 1);
	observe_rtt(cell, sk);
	return 0;
}

/* A connection that a listening socket's handshake made. */
static __always_inline void handshake(__u64 key)
{
	__u64 id = cgroup_of((const struct sock *)key);

	enter(key, SOCKET_SERVER, id ? slot_find(id) : SOCKET_UNCLAIMED, TURN_QUIET);
}

static __always_inline void connect_failed(struct socket_set *set, __u32 way, __u64 key)
{
	enum tcp_connect_failure failure = failure_of((const struct sock *)key, set->state[way]);
	struct tcp_cell *cell = cell_of(set->owner[way]);

	end_connecting(set, way);
	if (cell)
		shared_add(&cell->connect_failures[failure], 1);
}

static __always_inline void ended(void *ctx, __u64 key, int before, int after)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set), index = bpf_get_smp_processor_id();

	if (way == SOCKET_WAYS) {
		if (before == TCP_SYN_SENT)
			count_lost(TCP_LOST_NO_PLACE);
		return;
	}
	/* The states that only close() and shutdown() lead to. */
	if ((after == TCP_FIN_WAIT1 || after == TCP_LAST_ACK) && !is_owned(set, way))
		own(set, way, slot_of_running(ctx, index));
	else if (after != TCP_FIN_WAIT1 && after != TCP_FIN_WAIT2)
		set->state[way] |= SOCKET_FIN;
	set->state[way] &= ~SOCKET_ESTABLISHED;
	if (set->state[way] & SOCKET_CONNECTING)
		connect_failed(set, way, key);
}

static __always_inline void peer_ended(__u64 key)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set);

	if (way < SOCKET_WAYS)
		set->state[way] |= SOCKET_FIN;
}

/* TP_PROTO(const struct sock *sk, const int oldstate, const int newstate) */
SEC("?raw_tp/inet_sock_set_state")
int tcp_set_state(struct bpf_raw_tracepoint_args *ctx)
{
	int before = ctx->args[1], state = ctx->args[2];
	__u64 key = ctx->args[0];

	if (!is_tcp((const struct sock *)key))
		return 0;
	switch (state) {
	case TCP_SYN_SENT:
		enter(key, SOCKET_CLIENT | SOCKET_CONNECTING, slot_of_current(ctx),
		      TURN_ASKED | bpf_ktime_get_ns());
		break;
	case TCP_LISTEN:
		if (!enter(key, SOCKET_LISTENS, slot_of_current(ctx), TURN_QUIET))
			count_lost(TCP_LOST_NO_PLACE);
		break;
	case TCP_SYN_RECV:
		if (before == TCP_LISTEN)
			handshake(key);
		break;
	case TCP_ESTABLISHED:
		established(key, before);
		break;
	case TCP_CLOSE_WAIT:
		peer_ended(key);
		break;
	default:
		ended(ctx, key, before, state);
	}
	return 0;
}

/* TP_PROTO(struct sock *sk): its memory is about to be freed */
SEC("?raw_tp/tcp_destroy_sock")
int tcp_destroy(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0];

	if (forget(key))
		forget(key); /* it may have been taken in twice: adopt() */
	return 0;
}

/* ------------------------------------------------------------------ packets */

/* The cell that a socket's packets are counted in, NULL and counted as lost if it is not known. */
static __always_inline struct tcp_cell *cell_of_socket(const struct sock *sk, __u8 flag)
{
	struct socket_set *set;
	__u32 way = socket_find((__u64)sk, &set);
	__u64 id = 0;

	if (way < SOCKET_WAYS) {
		if (set->state[way] & SOCKET_CONNECTING)
			set->state[way] |= flag;
		if (is_owned(set, way))
			return cell_of(set->owner[way]);
	}
	if (sk && bpf_core_field_exists(struct sock, __sk_common.skc_state) && is_full(sk))
		id = cgroup_of(sk);
	if (id)
		return cell_of(slot_find(id));
	count_lost(TCP_LOST_NO_OWNER);
	return NULL;
}

/* A packet may stand for several segments. Without BTF it is taken for one. */
static __always_inline __u32 segments_of(const struct sk_buff *skb)
{
	const void *cb;

	if (!bpf_core_field_exists(struct tcp_skb_cb, tcp_gso_segs))
		return 1;
	cb = (const void *)skb + bpf_core_field_offset(struct sk_buff, cb);
	return BPF_CORE_READ((const struct tcp_skb_cb *)cb, tcp_gso_segs) ?: 1;
}

/* TP_PROTO(const struct sock *sk, const struct sk_buff *skb, ...) */
SEC("?raw_tp/tcp_retransmit_skb")
int tcp_retransmit(struct bpf_raw_tracepoint_args *ctx)
{
	struct tcp_cell *cell;

	/* Since 6.18 it also tells of those that were not made, with a negative errno. */
	if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err) &&
	    (int)ctx->args[2] < 0)
		return 0;
	cell = cell_of_socket((const struct sock *)ctx->args[0], SOCKET_RETRANSMITS);
	if (cell)
		shared_add(&cell->retransmits, segments_of((const struct sk_buff *)ctx->args[1]));
	return 0;
}

/* TP_PROTO(const struct sock *sk, const struct request_sock *req): sk listens */
SEC("?raw_tp/tcp_retransmit_synack")
int tcp_retransmit_synack(struct bpf_raw_tracepoint_args *ctx)
{
	struct tcp_cell *cell = cell_of_socket((const struct sock *)ctx->args[0], 0);

	if (cell)
		shared_add(&cell->retransmits, 1);
	return 0;
}

/* TP_PROTO(const struct sock *sk, ...): NULL where the kernel answers for a port nobody is at */
SEC("?raw_tp/tcp_send_reset")
int tcp_reset_sent(struct bpf_raw_tracepoint_args *ctx)
{
	const struct sock *sk = (const struct sock *)ctx->args[0];
	struct tcp_cell *cell = sk ? cell_of_socket(sk, 0) : cell_of(slot_find(KERNEL_CGROUP_ID));

	if (cell)
		shared_add(&cell->resets[TCP_SENT], 1);
	return 0;
}

/* TP_PROTO(struct sock *sk) */
SEC("?raw_tp/tcp_receive_reset")
int tcp_reset_received(struct bpf_raw_tracepoint_args *ctx)
{
	struct tcp_cell *cell = cell_of_socket((const struct sock *)ctx->args[0], SOCKET_RESET);

	if (cell)
		shared_add(&cell->resets[TCP_RECEIVED], 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
