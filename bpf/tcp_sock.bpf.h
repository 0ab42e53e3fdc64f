/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is read of a struct sock: with BTF from its fields, otherwise, where there is one, from the
 * record of a tracepoint. Only for bpf/tcp.bpf.c.
 */
#ifndef BRAMBLE_TCP_SOCK_BPF_H
#define BRAMBLE_TCP_SOCK_BPF_H

#include <bpf/bpf_core_read.h>

#include "tcp_sockets.bpf.h"

/* Numbers from the kernel's stable interfaces. */
#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_TCP 6

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

/* Whether the socket was made for the kernel itself (NFS, iSCSI). sk must be a full socket. */
static __always_inline bool is_of_kernel(const struct sock *sk)
{
	return bpf_core_field_exists(struct sock, sk_kern_sock) &&
	       BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

/*
 * The slot of the cgroup that made the socket or its listening socket; unknown if that cannot be
 * told.
 */
static __always_inline __u32 slot_of_socket(const struct sock *sk, __u32 unknown)
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
		return unknown;
	id = BPF_CORE_READ(cgroup, kn, id);
	/* The root cgroup has sockets of processes, and the kernel's own. */
	if (id == ROOT_CGROUP_ID && is_of_kernel(sk))
		return slot_find(KERNEL_CGROUP_ID, 0);
	return slot_find(id, (__u64)cgroup);
}

/* Whether it is a full socket. A TIME_WAIT socket and a request socket have no owner. */
static __always_inline bool is_full(const struct sock *sk)
{
	unsigned char state = BPF_CORE_READ(sk, __sk_common.skc_state);

	return state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV;
}

/* Other protocols use TCP's states, too. Without BTF, every such socket is taken for TCP. */
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

/* ------------------------------------------------------------------ its target */

/*
 * The record of a socket. The program that keeps it runs just before, on the same CPU. If something
 * else ran in between and replaced it, that is counted, and this returns NULL.
 */
static __always_inline struct tcp_record *take_record(__u64 key, enum tcp_target_kind kind)
{
	__u32 index = bpf_get_smp_processor_id();
	struct tcp_cpu *cpu = bpf_map_lookup_elem(&tcp_cpus, &index);

	if (!cpu || cpu->record[kind].key != key) {
		count_lost(TCP_LOST_UNPAIRED);
		return NULL;
	}
	cpu->record[kind].key = 0;
	return &cpu->record[kind];
}

/* The target of a client is where it connects to, as the socket has it. */
static __always_inline bool read_peer(__u64 key, struct tcp_target *peer)
{
	const struct sock *sk = (const struct sock *)key;
	struct tcp_record *record;

	if (!bpf_core_field_exists(struct sock, __sk_common.skc_daddr)) {
		record = take_record(key, TCP_PEER);
		if (!record)
			return false;
		__builtin_memcpy(peer->address, record->address, sizeof(peer->address));
		peer->port = record->port;
		return true;
	}
	peer->port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET) {
		peer->address[2] = __builtin_bswap32(0xffff);
		peer->address[3] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	} else if (bpf_core_field_exists(struct sock, __sk_common.skc_v6_daddr)) {
		BPF_CORE_READ_INTO(&peer->address, sk, __sk_common.skc_v6_daddr);
	}
	return true;
}

/* The target of a server is the port that it has from its listening socket. 0: not known. */
static __always_inline __u16 read_port(__u64 key)
{
	struct tcp_record *record;

	if (bpf_core_field_exists(struct sock, __sk_common.skc_daddr))
		return BPF_CORE_READ((const struct sock *)key, __sk_common.skc_num);
	record = take_record(key, TCP_PORT);
	return record ? record->port : 0;
}

#endif
