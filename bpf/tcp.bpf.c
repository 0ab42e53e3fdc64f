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
 * to with atomics, and a socket's fields are written by one side each, but for
 * those that change once or twice in its life.
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
#define ROOT_CGROUP	1

/*
 * A send longer than this may have waited for the reader, and returned long
 * after its first byte was sent. sendfile() sends as much in one step.
 */
#define LONG_SEND	65536

/* The first port of net.ipv4.ip_local_port_range, as it is by default. */
#define EPHEMERAL_PORT	32768

/*
 * since_ns of a client whose data nobody has asked for and nobody has read yet: the rest of an
 * answer; or an answer that is here before the send that asked for it has returned.
 */
#define DATA_UNASKED	1

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

static __always_inline void count_lost(enum tcp_lost reason)
{
	shared_add(&tcp_lost[reason], 1);
}

static __always_inline struct tcp_cell *cell_of(__u32 slot)
{
	slot &= SOCKET_SLOT;
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

/* The cgroup that made the socket or its listening socket; 0 if that cannot be told. */
static __always_inline __u64 cgroup_of(const struct sock *sk)
{
	struct cgroup *cgroup = NULL;

	if (bpf_core_field_exists(struct sock_cgroup_data, cgroup)) {
		cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	} else if (bpf_core_field_exists(struct sock_cgroup_data___old, val)) {
		__u64 val = BPF_CORE_READ((const struct sock___old *)sk, sk_cgrp_data.val);

		if (!(val & 1))
			cgroup = (struct cgroup *)val;
	}
	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
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

/* One of the two sets where a socket may be. */
static __always_inline struct socket_set *socket_set_of(__u64 key, __u32 choice)
{
	__u32 index = hash_u64(key, (choice + 1) * SOCKET_SET_BITS) & (SOCKET_SETS - 1);

	return bpf_map_lookup_elem(&tcp_sockets, &index);
}

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
	return set ? socket_way(set, key) : SOCKET_WAYS;
}

static __always_inline __u32 free_ways(const struct socket_set *set)
{
	return !set->key[0] + !set->key[1] + !set->key[2];
}

/* A socket that was counted as accepted or open is so for its new owner, or as it gets one. */
static __always_inline void own(struct socket_set *set, __u32 way, __u32 slot)
{
	__u32 info = set->info[way];
	struct tcp_cell *cell;

	if (info & SOCKET_OWNED && info & SOCKET_ESTABLISHED) {
		cell = cell_of(info);
		if (cell)
			shared_add(&cell->open, -1);
	}
	set->info[way] = (info & ~(SOCKET_SLOT | SOCKET_PASSIVE)) | SOCKET_OWNED | slot;
	cell = cell_of(slot);
	if (!cell)
		return;
	if (info & SOCKET_ESTABLISHED)
		shared_add(&cell->open, 1);
	if (info & SOCKET_PASSIVE)
		shared_add(&cell->accepted, 1);
}

/* The connection is not open any more. */
static __always_inline void leave(struct socket_set *set, __u32 way)
{
	__u32 info = set->info[way];
	struct tcp_cell *cell;

	set->info[way] = info & ~SOCKET_ESTABLISHED;
	if (!(info & SOCKET_OWNED) || !(info & SOCKET_ESTABLISHED))
		return;
	cell = cell_of(info);
	if (cell)
		shared_add(&cell->open, -1);
}

/* Takes a socket in that was not known. One whose end was missed ends now. */
static __always_inline void enter(__u64 key, __u32 info, __u64 since_ns)
{
	struct socket_set *set, *other;
	__u32 way = socket_find(key, &set);

	if (way < SOCKET_WAYS) {
		leave(set, way);
	} else {
		set = socket_set_of(key, 0);
		other = socket_set_of(key, 1);
		if (!set || !other)
			return;
		if (free_ways(other) > free_ways(set))
			set = other;
		way = socket_way(set, 0);
	}
	if (way == SOCKET_WAYS) {
		count_lost(TCP_LOST_NO_PLACE);
		return;
	}
	set->since_ns[way] = since_ns;
	set->info[way] = info;
	set->rtt_period[way] = 0;
	set->key[way] = key;
}

/* ------------------------------------------------------------------ process context */

static __always_inline __u32 slot_of_user(struct tcp_cpu **cpu)
{
	__u32 index = bpf_get_smp_processor_id();

	*cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	return slot_of_running(index);
}

/*
 * A socket that was there before the probe: from its first use on it is
 * known. Who asks is told by the ports, if one alone is of the range from which
 * the kernel gives ports to clients; if that says nothing, nobody does.
 */
static __noinline int adopt(__u64 key, __u32 slot)
{
	const struct sock *sk = (const struct sock *)key;
	__u32 info = SOCKET_OWNED | SOCKET_ESTABLISHED | slot;
	struct tcp_cell *cell;
	unsigned char state;
	__u16 local, remote;

	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT)
		info &= ~SOCKET_ESTABLISHED;
	if (state != TCP_ESTABLISHED)
		info |= SOCKET_FIN;
	remote = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	local = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (local < EPHEMERAL_PORT && remote >= EPHEMERAL_PORT)
		info |= SOCKET_SERVER;
	else if (remote < EPHEMERAL_PORT && local >= EPHEMERAL_PORT)
		info |= SOCKET_CLIENT;
	enter(key, info, 0);
	cell = cell_of(slot);
	if (cell && info & SOCKET_ESTABLISHED)
		shared_add(&cell->open, 1);
	return 0;
}

/* Finds the socket that the current task uses, which owns it from now on. */
static __always_inline __u32 socket_use(__u64 key, struct socket_set **set, __u32 *slot)
{
	struct tcp_cpu *cpu;
	__u32 way = socket_find(key, set);

	if (way == SOCKET_WAYS) {
		/* Most are no sockets of TCP: these are to cost little. */
		if (!bpf_core_field_exists(struct sock, sk_protocol) ||
		    !is_tcp((const struct sock *)key))
			return SOCKET_WAYS;
		*slot = slot_of_user(&cpu);
		adopt(key, *slot);
		way = socket_find(key, set);
		if (way == SOCKET_WAYS)
			return way;
	} else {
		*slot = slot_of_user(&cpu);
	}
	if (cpu)
		cpu->events++;
	if ((*set)->info[way] & SOCKET_OWNED && ((*set)->info[way] & SOCKET_SLOT) == *slot)
		return way;
	own(*set, way, *slot);
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

/* TP_PROTO(struct sock *sk, int ret, int flags): after a sendmsg() of any kind of socket */
SEC("?raw_tp/sock_send_length")
int tcp_sock_send(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0], since, now;
	int ret = ctx->args[1];
	struct socket_set *set;
	struct tcp_cell *cell;
	__u32 way, slot, info;

	if (ret <= 0)
		return 0;
	way = socket_use(key, &set, &slot);
	if (way == SOCKET_WAYS)
		return 0;
	cell = cell_of(slot);
	if (!cell)
		return 0;
	shared_add(&cell->bytes[TCP_SENT], ret);
	info = set->info[way];
	since = set->since_ns[way];
	if (info & SOCKET_SERVER ? !since : since > DATA_UNASKED || !(info & SOCKET_CLIENT))
		return 0; /* no question to answer, or one that waits for its answer */
	now = bpf_ktime_get_ns();
	if (info & SOCKET_SERVER) {
		set->since_ns[way] = 0;
		if (info & SOCKET_UNCERTAIN)
			set->info[way] = info & ~SOCKET_UNCERTAIN;
		else if (ret > LONG_SEND)
			count_lost(TCP_LOST_LONG_SEND);
		else
			observe(&cell->response[TCP_SERVER], now - since);
	} else if (since || __sync_val_compare_and_swap(&set->since_ns[way], 0, now)) {
		/* DATA_UNASKED, perhaps since a moment ago. Kernels with this event have cmpxchg.
		 */
		set->since_ns[way] = 0;
		count_lost(TCP_LOST_OVERTAKEN);
	}
	read_rtt(set, way, cell, key, now);
	return 0;
}

/* Data was received after all with what might have been no more than the peer's FIN. */
static __always_inline void make_certain(struct socket_set *set, __u32 way, struct tcp_cell *cell)
{
	__u32 info = set->info[way];
	__u64 since = set->since_ns[way];

	set->info[way] = info & ~SOCKET_UNCERTAIN;
	if (info & SOCKET_SERVER)
		return; /* a question */
	set->since_ns[way] = 0;
	observe(&cell->response[TCP_CLIENT], since);
}

/* TP_PROTO(struct sock *sk, int ret, int flags): after a recvmsg() of any kind of socket */
SEC("?raw_tp/sock_recv_length")
int tcp_sock_recv(struct bpf_raw_tracepoint_args *ctx)
{
	int ret = ctx->args[1], flags = ctx->args[2];
	struct socket_set *set;
	struct tcp_cell *cell;
	__u32 way, slot;

	if (ret <= 0 || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	way = socket_use(ctx->args[0], &set, &slot);
	if (way == SOCKET_WAYS)
		return 0;
	cell = cell_of(slot);
	if (!cell)
		return 0;
	shared_add(&cell->bytes[TCP_RECEIVED], ret);
	if (set->info[way] & SOCKET_UNCERTAIN)
		make_certain(set, way, cell);
	else if (set->info[way] & SOCKET_CLIENT && set->since_ns[way] == DATA_UNASKED)
		set->since_ns[way] = 0;
	return 0;
}

/* ------------------------------------------------------------------ softirq */

/* A listening socket is told of a connection: that belongs to the same cgroup, as long as
 * nothing else is known. */
static __always_inline void inherit(struct tcp_cpu *cpu, __u32 parent)
{
	struct socket_set *set;
	__u32 way;

	if (!cpu->child)
		return;
	way = socket_find(cpu->child, &set);
	cpu->child = 0;
	if (way < SOCKET_WAYS && !(set->info[way] & SOCKET_OWNED))
		own(set, way, parent & SOCKET_SLOT);
}

/* The first byte of an answer, or perhaps no more than a FIN. */
static __always_inline void answered(struct socket_set *set, __u32 way, __u32 info)
{
	__u64 ns = bpf_ktime_get_ns() - set->since_ns[way];
	struct tcp_cell *cell;

	if (info & SOCKET_FIN) {
		set->since_ns[way] = ns ?: 1;
		set->info[way] = info | SOCKET_UNCERTAIN;
		return;
	}
	set->since_ns[way] = 0;
	cell = cell_of(info);
	if (cell)
		observe(&cell->response[TCP_CLIENT], ns);
}

/* TP_PROTO(const struct sock *sk): data, a connection or a FIN waits in a socket of any kind */
SEC("?raw_tp/sk_data_ready")
int tcp_data_ready(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 index = bpf_get_smp_processor_id();
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	struct socket_set *set;
	__u32 way = socket_find(ctx->args[0], &set), info;

	if (way == SOCKET_WAYS || !cpu)
		return 0;
	cpu->events++;
	info = set->info[way];
	if (info & SOCKET_LISTENS) {
		inherit(cpu, info);
	} else if (info & SOCKET_SERVER) {
		if (set->since_ns[way])
			return 0;
		set->since_ns[way] = bpf_ktime_get_ns();
		if (info & SOCKET_FIN)
			set->info[way] = info | SOCKET_UNCERTAIN;
	} else if (!(info & (SOCKET_CONNECTING | SOCKET_UNCERTAIN))) {
		if (set->since_ns[way] > DATA_UNASKED)
			answered(set, way, info);
		else if (info & SOCKET_CLIENT && !(info & SOCKET_FIN))
			set->since_ns[way] = DATA_UNASKED;
	}
	return 0;
}

/* ------------------------------------------------------------------ states */

static __always_inline enum tcp_connect_failure failure_of(const struct sock *sk, __u32 info)
{
	int err = 0;

	if (bpf_core_field_exists(struct sock, sk_err))
		err = BPF_CORE_READ(sk, sk_err);
	if (err == ECONNREFUSED || (!err && info & SOCKET_RESET))
		return TCP_CONNECT_REFUSED;
	/* The program gave up earlier than the kernel, but saw no answer either. */
	if (err == ETIMEDOUT || (!err && info & SOCKET_RETRANSMITS))
		return TCP_CONNECT_TIMEOUT;
	return TCP_CONNECT_OTHER;
}

static __always_inline void connected(struct socket_set *set, __u32 way, const struct sock *sk)
{
	__u64 ns = bpf_ktime_get_ns() - set->since_ns[way];
	__u32 info = set->info[way];
	struct tcp_cell *cell = cell_of(info);

	set->info[way] = info & ~SOCKET_CONNECTING;
	set->since_ns[way] = 0;
	if (!cell)
		return;
	observe(&cell->connect, ns);
	/* Without BTF the handshake is the one round trip that is seen, if it went well. */
	if (!bpf_core_field_exists(struct tcp_sock, srtt_us) && !(info & SOCKET_RETRANSMITS))
		observe(&cell->rtt, ns);
}

static __noinline int established(__u64 key)
{
	__u32 index = bpf_get_smp_processor_id(), way, info;
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);
	const struct sock *sk = (const struct sock *)key;
	struct socket_set *set;
	struct tcp_cell *cell;

	way = socket_find(key, &set);
	if (way == SOCKET_WAYS || !cpu)
		return 0;
	if (set->info[way] & SOCKET_CONNECTING)
		connected(set, way, sk);
	info = set->info[way];
	if (info & SOCKET_ESTABLISHED)
		return 0;
	set->info[way] = info | SOCKET_ESTABLISHED;
	if (!(info & SOCKET_OWNED)) {
		cpu->child = key;
		return 0;
	}
	cell = cell_of(info);
	if (!cell)
		return 0;
	shared_add(&cell->open, 1);
	if (info & SOCKET_PASSIVE)
		shared_add(&cell->accepted, 1);
	set->info[way] = (info & ~SOCKET_PASSIVE) | SOCKET_ESTABLISHED;
	observe_rtt(cell, sk);
	return 0;
}

/* A connection that a listening socket's handshake made. */
static __always_inline void handshake(__u64 key)
{
	__u64 id = cgroup_of((const struct sock *)key);
	__u32 info = SOCKET_SERVER | SOCKET_PASSIVE;

	if (id)
		info |= SOCKET_OWNED | slot_find(id);
	enter(key, info, 0);
}

static __always_inline void ended(__u64 key, int state)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set), info, index = bpf_get_smp_processor_id();
	struct tcp_cell *cell;

	if (way == SOCKET_WAYS)
		return;
	info = set->info[way];
	/* The states that only close() and shutdown() lead to. */
	if ((state == TCP_FIN_WAIT1 || state == TCP_LAST_ACK) && !(info & SOCKET_OWNED))
		own(set, way, slot_of_running(index));
	else if (state != TCP_FIN_WAIT1 && state != TCP_FIN_WAIT2)
		set->info[way] = info | SOCKET_FIN;
	leave(set, way);
	info = set->info[way];
	if (!(info & SOCKET_CONNECTING))
		return;
	set->info[way] = info & ~SOCKET_CONNECTING;
	set->since_ns[way] = 0;
	cell = cell_of(info);
	if (cell)
		shared_add(&cell->connect_failures[failure_of((const struct sock *)key, info)], 1);
}

static __always_inline void peer_ended(__u64 key)
{
	struct socket_set *set;
	__u32 way = socket_find(key, &set);

	if (way < SOCKET_WAYS)
		set->info[way] |= SOCKET_FIN;
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
		enter(key, SOCKET_OWNED | SOCKET_CLIENT | SOCKET_CONNECTING | slot_of_current(),
		      bpf_ktime_get_ns());
		break;
	case TCP_LISTEN:
		enter(key, SOCKET_OWNED | SOCKET_LISTENS | slot_of_current(), 0);
		break;
	case TCP_SYN_RECV:
		if (before == TCP_LISTEN)
			handshake(key);
		break;
	case TCP_ESTABLISHED:
		established(key);
		break;
	case TCP_CLOSE_WAIT:
		peer_ended(key);
		break;
	default:
		ended(key, state);
	}
	return 0;
}

/* TP_PROTO(struct sock *sk): its memory is about to be freed */
SEC("?raw_tp/tcp_destroy_sock")
int tcp_destroy(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = ctx->args[0];
	struct socket_set *set;
	__u32 way = socket_find(key, &set);

	if (way == SOCKET_WAYS)
		return 0;
	leave(set, way);
	if (set->info[way] & SOCKET_PASSIVE)
		count_lost(TCP_LOST_NO_OWNER);
	set->key[way] = 0;
	return 0;
}

/* ------------------------------------------------------------------ packets */

/* The cell that a socket's packets are counted in, NULL and counted as lost if it is not known. */
static __always_inline struct tcp_cell *cell_of_socket(const struct sock *sk, __u32 flag)
{
	struct socket_set *set;
	__u32 way = socket_find((__u64)sk, &set);
	__u64 id = 0;

	if (way < SOCKET_WAYS) {
		if (set->info[way] & SOCKET_CONNECTING)
			set->info[way] |= flag;
		if (set->info[way] & SOCKET_OWNED)
			return cell_of(set->info[way]);
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
	struct tcp_cell *cell = sk ? cell_of_socket(sk, 0) : cell_of(slot_find(ROOT_CGROUP));

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
