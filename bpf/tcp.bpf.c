/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What TCP does for each cgroup: connects, answers, round trips, bytes. The rules are in
 * docs/tcp.md.
 *
 * Sockets are told apart by a key, the address of their struct sock. A socket is known from the
 * moment it connects, listens or comes out of a handshake. If it was there before the probe, it is
 * known from its first use.
 *
 * A socket belongs to the cgroup that uses it. What happens in process context is counted for the
 * current task, and sets the owner. What happens in softirq is counted for the owner at that time.
 *
 * In softirq, a program may interrupt one that runs in process context on the same CPU, and a
 * socket may be in use by both at once. So the cells are added to with atomics, and the fields of a
 * socket have fixed writers (struct socket_set).
 */
#include <stdbool.h>

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "hist.bpf.h"
#include "sched.bpf.h"
#include "tcp_turns.bpf.h"

/* Numbers from the kernel's stable interfaces. */
#define MSG_PEEK       0x2
#define MSG_ERRQUEUE   0x2000
#define ECONNREFUSED   111
#define ETIMEDOUT      110

/* The first port of net.ipv4.ip_local_port_range, by default. */
#define EPHEMERAL_PORT 32768

static __always_inline void observe_rtt(struct tcp_cell *cell, const struct sock *sk)
{
	__u64 ns = rtt_ns(sk);

	if (ns)
		hist_add_shared(&cell->rtt, ns);
}

/* ------------------------------------------------------------------ records */

/*
 * Keeps the target of a socket that connects or comes out of a handshake. Only without BTF. It is
 * attached before tcp_set_state, and so runs before it.
 */
SEC("?tp/sock/inet_sock_set_state")
int tcp_set_state_record(struct trace_event_raw_inet_sock_set_state *ctx)
{
	__u32 index = bpf_get_smp_processor_id();
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	__u16 local = ctx->sport, remote = ctx->dport;
	struct tcp_record *record;

	/* Verifiers want one load for each field, at a fixed place in the record. */
	barrier_var(local);
	barrier_var(remote);
	if (!cpu)
		return 0;
	if (ctx->newstate == TCP_SYN_SENT) {
		record = &cpu->record[TCP_PEER];
		BPF_CORE_READ_INTO(&record->address, ctx, daddr_v6);
		record->port = remote;
	} else if (ctx->newstate == TCP_SYN_RECV) {
		record = &cpu->record[TCP_PORT];
		record->port = local;
	} else {
		return 0;
	}
	record->key = (__u64)ctx->skaddr;
	return 0;
}

/* ------------------------------------------------------------------ process context */

static __always_inline __u32 slot_of_user(void *ctx, struct tcp_cpu **cpu)
{
	__u32 index = bpf_get_smp_processor_id();

	*cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	return slot_of_running(ctx, index);
}

/*
 * Adds a socket at its use, if it was there before the probe or found no place when it was created.
 * The ports say which side asks: the one whose port alone is in the range from which the kernel
 * gives ports to clients. If the ports do not say, no side asks.
 *
 * If two threads use the socket at the same time, they may add it twice. Only the first place is
 * then used, and both are freed together.
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
	if (enter(key, state, slot, TURN_QUIET))
		aim(key);
	else
		count_lost(TCP_LOST_NO_PLACE);
	return 0;
}

/*
 * Counts what the current task has sent or received. Finds the socket, and makes the task's cgroup
 * its owner. Returns SOCKET_WAYS if the socket is not known or is not a TCP socket.
 */
static __always_inline __u32 socket_use(void *ctx, __u64 key, enum tcp_direction direction,
					__u32 bytes, struct socket_set **set,
					struct tcp_cell **cell)
{
	__u32 way = socket_find(key, set), slot;
	bool known = way < SOCKET_WAYS;
	struct tcp_cpu *cpu;

	/* Most unknown sockets are not TCP sockets. They must cost little. */
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
	/* The second condition always holds here, but not every verifier knows that. */
	if (!known && bpf_core_field_exists(struct sock, sk_protocol)) {
		adopt(key, slot);
		way = socket_find(key, set);
	}
	if (way < SOCKET_WAYS && (*set)->owner[way] != slot)
		own(*set, way, slot);
	return way;
}

/* TP_PROTO(struct sock *sk, int ret, int flags): after a sendmsg() of any kind of socket */
SEC("?raw_tp/sock_send_length")
int tcp_sock_send(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0];
	int ret = ctx->args[1];
	struct socket_set *set;
	struct tcp_cell *cell;
	bool rtt_is_due = false;
	__u32 way;

	if (ret <= 0)
		return 0;
	way = socket_use(ctx, key, TCP_SENT, ret, &set, &cell);
	if (way == SOCKET_WAYS)
		return 0;
	if (set->state[way] & SOCKET_SERVER)
		rtt_is_due = server_sent(set, way, cell, ret);
	else if (set->state[way] & SOCKET_CLIENT)
		rtt_is_due = client_sent(set, way, ret);
	if (rtt_is_due)
		observe_rtt(cell, (const struct sock *)key);
	return 0;
}

/* TP_PROTO(struct sock *sk, int ret, int flags): after a recvmsg() of any kind of socket */
SEC("?raw_tp/sock_recv_length")
int tcp_sock_recv(struct bpf_raw_tracepoint_args *ctx)
{
	int ret = ctx->args[1], flags = ctx->args[2];
	struct socket_set *set;
	struct tcp_cell *cell;
	__u32 way;

	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	way = socket_use(ctx, ctx->args[0], TCP_RECEIVED, ret, &set, &cell);
	if (way == SOCKET_WAYS)
		return 0;
	if (set->state[way] & SOCKET_SERVER)
		server_read(set, way, ret);
	else
		client_read(set, way, cell, ret);
	return 0;
}

/* ------------------------------------------------------------------ softirq */

/* A listening socket is notified of a new connection. The connection belongs to the same cgroup,
 * unless more is known of it. */
static __always_inline void inherit(struct tcp_cpu *cpu, __u16 parent)
{
	__u64 child = cpu->child;
	struct socket_set *set;
	__u32 way;

	if (!child)
		return;
	way = socket_find(child, &set);
	cpu->child = 0;
	if (way == SOCKET_WAYS || parent >= SLOTS_MAX || is_owned(set, way))
		return;
	own(set, way, parent);
	/* It was added before its owner was known. */
	if (!may_add(parent)) {
		forget(child);
		count_lost(TCP_LOST_NO_PLACE);
	}
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
	/* The program gave up earlier than the kernel, but got no answer either. */
	if (err == ETIMEDOUT || (!err && state & SOCKET_RETRANSMITS))
		return TCP_CONNECT_TIMEOUT;
	return TCP_CONNECT_OTHER;
}

/* A connect is over, whether or not it failed. Returns the turn with the time of its start. */
static __always_inline __u64 end_connecting(struct socket_set *set, __u32 way)
{
	__u64 turn = set->turn[way];

	set->state[way] &= ~SOCKET_CONNECTING;
	set->turn[way] = TURN_QUIET;
	return turn;
}

static __always_inline void connected(struct socket_set *set, __u32 way, const struct sock *sk)
{
	__u64 ns = turn_elapsed(end_connecting(set, way), bpf_ktime_get_ns());
	struct tcp_cell *cell = cell_of(set->owner[way]);

	if (!cell)
		return;
	observe(&cell->connect, ns);
	/* Without BTF the handshake is the only round trip that is seen, if nothing was repeated.
	 */
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
	if (way == SOCKET_WAYS || !cpu || !set) {
		/* These come from sockets that should have been added. */
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
		count_accepted(set, way);
	observe_rtt(cell, sk);
	return 0;
}

/* A connection that a listening socket's handshake made. */
static __always_inline void handshake(__u64 key)
{
	if (enter(key, SOCKET_SERVER, slot_of_socket((const struct sock *)key, SOCKET_UNCLAIMED),
		  TURN_QUIET))
		aim(key);
}

static __always_inline void connect_failed(struct socket_set *set, __u32 way, __u64 key)
{
	enum tcp_connect_failure failure = failure_of((const struct sock *)key, set->state[way]);
	struct tcp_cell *cell = cell_of(set->owner[way]);

	end_connecting(set, way);
	if (!cell)
		return;
	shared_add(&cell->connect_failures[failure], 1);
	shared_add(&peer_counts(set, way, cell)->failures, 1);
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
	/* Only close() and shutdown() lead to these states. */
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
		if (enter(key, SOCKET_CLIENT | SOCKET_CONNECTING, slot_of_current(ctx),
			  TURN_ASKED | (bpf_ktime_get_ns() & TURN_TIME)))
			aim(key);
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

/* TP_PROTO(struct sock *sk): the socket's memory is about to be freed */
SEC("?raw_tp/tcp_destroy_sock")
int tcp_destroy(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0];

	if (forget(key))
		forget(key); /* it may have been added twice: adopt() */
	return 0;
}

/* ------------------------------------------------------------------ packets */

/* The cell for the packets of a socket. If it is not known, counts a loss and returns NULL. */
static __always_inline struct tcp_cell *cell_of_socket(const struct sock *sk, __u8 flag)
{
	struct socket_set *set;
	__u32 way = socket_find((__u64)sk, &set);
	__u32 slot = SOCKET_NOBODY;

	if (way < SOCKET_WAYS) {
		if (set->state[way] & SOCKET_CONNECTING)
			set->state[way] |= flag;
		if (is_owned(set, way))
			return cell_of(set->owner[way]);
	}
	if (sk && bpf_core_field_exists(struct sock, __sk_common.skc_state) && is_full(sk))
		slot = slot_of_socket(sk, SOCKET_NOBODY);
	if (slot != SOCKET_NOBODY)
		return cell_of(slot);
	count_lost(TCP_LOST_NO_OWNER);
	return NULL;
}

/* A client's segments go to its peer again. */
static __always_inline void count_peers_retransmits(__u64 key, __u32 segments)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set);
	struct tcp_cell *cell;

	if (way == SOCKET_WAYS || !(set->state[way] & SOCKET_CLIENT))
		return;
	cell = cell_of(set->owner[way]);
	if (cell)
		shared_add(&peer_counts(set, way, cell)->retransmits, segments);
}

/* A packet may contain several segments. Without BTF it counts as one. */
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
	__u32 segments;

	/* Since 6.18 it also reports retransmits that failed, with a negative errno. */
	if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err) &&
	    (int)ctx->args[2] < 0)
		return 0;
	cell = cell_of_socket((const struct sock *)ctx->args[0], SOCKET_RETRANSMITS);
	if (!cell)
		return 0;
	segments = segments_of((const struct sk_buff *)ctx->args[1]);
	shared_add(&cell->retransmits, segments);
	count_peers_retransmits(ctx->args[0], segments);
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

/* TP_PROTO(const struct sock *sk, ...): NULL if the kernel answers for a port without a socket */
SEC("?raw_tp/tcp_send_reset")
int tcp_reset_sent(struct bpf_raw_tracepoint_args *ctx)
{
	const struct sock *sk = (const struct sock *)ctx->args[0];
	struct tcp_cell *cell =
		sk ? cell_of_socket(sk, 0) : cell_of(slot_find(KERNEL_CGROUP_ID, 0));

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
