/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The few kernel types whose fields the BPF programs name. Field offsets are
 * relocated at load (CO-RE): against the kernel's own BTF, or against the BTF
 * that src/probe/tracefs_btf.c makes from tracefs' format files. Order and
 * size of the fields here carry no meaning, names and types do.
 *
 * The records of classic tracepoints are named trace_event_raw_<event class>,
 * as in include/trace/stages of the kernel.
 *
 * struct bpf_raw_tracepoint_args is not here on purpose: it comes from the
 * UAPI header <linux/bpf.h>. With preserve_access_index on it, libbpf would
 * ask for kernel BTF.
 */
#ifndef BRAMBLE_VMLINUX_H
#define BRAMBLE_VMLINUX_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/trace/events/sched.h. prev_state is a long: on 64-bit kernels, that is, alone. */
struct trace_event_raw_sched_switch {
	__s32 prev_pid;
	long prev_state;
	__s32 next_pid;
};

struct trace_event_raw_sched_wakeup_template {
	__s32 pid;
};

/* include/trace/events/writeback.h */
struct trace_event_raw_balance_dirty_pages {
	long pause; /* in ms */
};

/* include/trace/events/cgroup.h */
struct trace_event_raw_tcp_retransmit_skb {
	int err; /* since 6.18 */
};

struct trace_event_raw_inet_sock_set_state {
	const void *skaddr;
	int newstate;
	__u16 sport;
	__u16 dport;
	__u8 daddr_v6[16]; /* IPv4 mapped to it */
};

struct trace_event_raw_cgroup {
	int root;
	__u64 id;
	__u32 __data_loc_path;
};

/* include/trace/events/block.h. rwbs had 8 bytes before 6.18. */
struct trace_event_raw_block_rq {
	__u32 dev;
	__u32 nr_sector;
	__u32 bytes;
	char rwbs[8];
};

struct trace_event_raw_block_bio {
	char rwbs[8];
};

/* Known with BTF alone: where the kernel has none, bpf_core_field_exists() says no. */

/* include/linux/sched.h */
struct css_set {
	struct cgroup *dfl_cgrp; /* in cgroup v2 */
};

struct task_struct {
	unsigned int flags;
	unsigned int in_iowait : 1;
	struct css_set *cgroups;
};

/* include/linux/kernfs.h, cgroup-defs.h */
struct kernfs_node {
	__u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *ancestors[1]; /* by level, with itself */
};

/* Before 6.1 (7f203bc89eb6) there were their ids. */
struct cgroup___old {
	__u64 ancestor_ids[1];
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

/* Before 5.16 (8520e224f547) it was a number that may be a pointer: bit 0 says that it is none. */
struct sock_cgroup_data___old {
	__u64 val;
};

/* include/net/sock.h */
struct in6_addr {
	__u32 words[4]; /* in the kernel a union */
};

struct sock_common {
	__u32 skc_daddr; /* big endian, as are all addresses */
	struct in6_addr skc_v6_daddr;
	__u16 skc_dport; /* big endian */
	__u16 skc_num;
	__u16 skc_family;
	volatile unsigned char skc_state;
};

struct sock {
	struct sock_common __sk_common;
	__u8 sk_kern_sock : 1; /* since 4.11 */
	__u16 sk_protocol;
	int sk_err;
	struct sock_cgroup_data sk_cgrp_data;
};

struct sock___old {
	struct sock_cgroup_data___old sk_cgrp_data;
};

/* include/linux/tcp.h */
struct tcp_sock {
	__u32 srtt_us; /* smoothed, times 8 */
};

/* include/linux/skbuff.h, include/net/tcp.h: the second lies in the first's cb */
struct sk_buff {
	char cb[48];
};

struct tcp_skb_cb {
	__u16 tcp_gso_segs;
};

/* include/linux/blkdev.h, later blk-mq.h, and what a request leads to */
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct blkcg {
	struct cgroup_subsys_state css;
};

struct blkcg_gq {
	struct blkcg *blkcg;
};

struct bio {
	struct blkcg_gq *bi_blkg;
};

struct gendisk {
	int major;
	int first_minor;
};

struct request_queue {
	struct gendisk *disk; /* since 5.15 */
};

struct request {
	struct request_queue *q;
	__u32 cmd_flags;
	__u32 __data_len;
	struct bio *bio;
	__u64 start_time_ns;
};

/* Before 5.17 */
struct request___old {
	struct gendisk *rq_disk;
};

#pragma clang attribute pop

#endif
