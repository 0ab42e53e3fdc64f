/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the BPF programs write and user space reads: slots, cells, counters of lost samples, and
 * the events of cgroups. Shared by both sides.
 *
 * A slot is the place of one cgroup. A cell holds what one probe counted for one slot, on one CPU
 * or on all of them. If each CPU has a cell of its own and the hooks cannot interrupt themselves,
 * no atomics are needed.
 */
#ifndef BRAMBLE_CELLS_H
#define BRAMBLE_CELLS_H

#include <linux/types.h>

#include "bramble/hist.h"

#define CACHE_LINE	 64

/* The root of the hierarchy, as the kernel numbers it (fs/kernfs: the first of its ids). */
#define ROOT_CGROUP_ID	 1

/*
 * The kernel's own: its threads, which share the root cgroup with processes, and everything that
 * happens in no task's name. No cgroup has this id, and none has those of the jobs below it.
 */
#define KERNEL_CGROUP_ID (~0ULL)

/* What threads of the kernel are for, by their names: job_of() in bpf/slots.bpf.c. */
enum kernel_job {
	KERNEL_JOB_OTHER, /* also what happens in no task's name */
	KERNEL_JOB_KSWAPD,
	KERNEL_JOB_KCOMPACTD,
	KERNEL_JOB_KSOFTIRQD,
	KERNEL_JOB_KWORKER,
	KERNEL_JOB_JBD2,
	KERNEL_JOB_FILESYSTEM,
	KERNEL_JOB_DISK,
	KERNEL_JOB_IRQ,
	KERNEL_JOB_RCU,
	KERNEL_JOB_MIGRATION,
	KERNEL_JOBS,
};

/* The threads of one job have a slot under this id. */
#define KERNEL_JOB_ID(job) (KERNEL_CGROUP_ID - (job))

/* With fewer slots than this, all threads of the kernel share one. */
#define KERNEL_JOBS_SLOTS  128

/* Counts the samples of cgroups that got no slot because none was left. */
#define SLOT_OVERFLOW	   0

/* The idle task as the cause of a wait. It lies beyond any real slot. */
#define SLOT_IDLE	   0xffffU
#define SLOT_BITS	   15
#define SLOTS_MAX	   (1U << SLOT_BITS)

/* A wait of at least this length is also charged to what ran on the CPU just before. */
#define WAIT_CAUSED_MIN_NS 1000000ULL

enum switch_kind {
	SWITCH_VOLUNTARY,   /* the task blocked */
	SWITCH_INVOLUNTARY, /* the task was preempted, or it yielded: it waits again */
	SWITCH_KINDS,
};

/* The time that intervals cover. They may overlap, and are added in the order of their ends. */
struct span {
	__u64 covered_ns;
	__u64 until_ns; /* the end of the last interval */
};

/*
 * The tasks that came to a cgroup less those that left it, on one CPU: that were created there or
 * elsewhere, moved, or exited. Of all CPUs together it is how many tasks there are, and for how
 * long they have been there by the time t: tasks * t - at_ns. The sums may wrap.
 *
 * What is written is complete when begun equals done. Who reads it compares done, read before the
 * sums, with begun, read after them.
 */
struct lives {
	__u32 begun, done; /* changes */
	__u64 tasks;
	__u64 at_ns; /* the sum of when they came less the sum of when they left */
};

/* The scheduler's cell: slot x CPU. Most switches touch only its first cache line. */
struct sched_cell {
	__u64 switches[SWITCH_KINDS];
	__u64 ran_ns;
	struct span waiting;   /* at least one task waited */
	__u64 waiting_from_ns; /* start of its last stretch without a gap, which ends at until_ns */
	struct span preempted; /* a copy of waiting from when a task was last preempted */
	struct hist wait;
	struct span added;     /* a copy of waiting from when a long wait was last added */
	__u64 caused_other_ns; /* waits whose pair found no place in the map of pairs */
	__u64 caused_other;    /* how many such waits there were */
	__u64 throttled_ns;    /* the part of wait.sum_ns that is throttled: SINCE_THROTTLED */
	struct lives lives;
} __attribute__((aligned(CACHE_LINE)));

/* Two slots: the one whose task waited, and the one whose task ran on that CPU before. */
struct wait_pair {
	__u16 victim;
	__u16 cause;
};

/*
 * Half of the pairs are for whoever comes first, but no more than a quarter of that for the victims
 * of one pod or unit. Of the other half, these have so many as the quota says. The groups are told
 * apart by a hash. Two with the same share their quota.
 */
#define WAIT_PAIRS_MAX	  4096
#define WAIT_PAIRS_SHARED (WAIT_PAIRS_MAX / 2)
#define WAIT_PAIRS_GROUP  (WAIT_PAIRS_SHARED / 4)
#define WAIT_PAIRS_QUOTA  64
#define PAIR_GROUP_BITS	  12
#define PAIR_GROUPS	  (1 << PAIR_GROUP_BITS)

static inline __attribute__((always_inline)) __u32 pair_group(__u64 id)
{
	return (id * 0x9e3779b97f4a7c15ULL) >> (64 - PAIR_GROUP_BITS); /* as hash_u64() */
}

enum sched_lost {
	SCHED_LOST_NO_WAKEUP, /* a task ran, but the start of its wait was missed or overwritten */
	SCHED_LOST_NO_SWITCH, /* a task was switched out, but its switching in was missed */
	SCHED_LOST_COLLISION, /* another task's start replaced the start of a wait */
	SCHED_LOST_CLOCK,     /* a wait began after it ended, by the clock */
	SCHED_LOST_REASONS,
};

/*
 * The slot of a task, from its last look-up. The lower SLOT_BITS bits are the slot. The bits above
 * are the generation of the tasks' membership in cgroups at that time: see slot_known(). 0 means
 * that the slot is not known.
 */
typedef __u32 known_slot_t;

/* What the sched programs keep for each CPU. Hot: the first cache line. */
struct sched_cpu {
	__u64 running;		 /* key of the task that was switched in last */
	__u64 wait_ns;		 /* that task's wait, not yet in a cell, or WAIT_UNKNOWN */
	__u64 idle;		 /* key of this CPU's idle task; 0 until it was seen */
	__u64 events;		 /* context switches seen */
	known_slot_t known_slot; /* of the running task */
	__u32 cause;		 /* slot of the task that ran before it */
	__u32 first_cell;	 /* index of this CPU's cell for slot 0; set by user space */
	__u64 in_ns;		 /* when that task was switched in */
	__u64 lost[SCHED_LOST_REASONS];
} __attribute__((aligned(CACHE_LINE)));

/* Negative as a signed number. A wait that ended before it began is negative, too. */
#define WAIT_UNKNOWN  (1ULL << 63)

/*
 * The tasks, by a hash of their key, and since when each of them waits. A task keeps its way in
 * the set until another task needs it. One set is one cache line.
 */
#define TASK_SET_BITS 11
#define TASK_SETS     (1 << TASK_SET_BITS)
#define TASK_WAYS     3

struct task_set {
	__u64 key[TASK_WAYS];
	__u64 since_ns[TASK_WAYS];	    /* 0: the task does not wait; or with SINCE_BLOCKED */
	known_slot_t known_slot[TASK_WAYS]; /* XORed with key_mark() unless it is 0 */
	__u8 marks[TASK_WAYS];		    /* TASK_... */
} __attribute__((aligned(CACHE_LINE)));

#define TASK_USER	 1 /* its creation was seen, and it is not a kernel thread */
#define TASK_CAUSE_SHIFT 1 /* above: why it is blocked, enum blocked_cause */

/*
 * A CPU that has looked up the slot of a task writes it beside the task's key. Meanwhile another
 * CPU may have given that place to another task, which would then keep a wrong slot. So the slot is
 * marked with the key. Read with another key, it does not belong to the current generation (except
 * once in 2^17 times).
 */
static inline __attribute__((always_inline)) __u32 key_mark(__u64 key)
{
	return key * 0x9e3779b97f4a7c15ULL; /* HASH_FACTOR */
}

/*
 * Added to the time since when a task waits: it waits for no CPU, but is blocked. If such a time is
 * taken for the beginning of a wait, that wait is negative as a signed number.
 */
#define SINCE_BLOCKED	(1ULL << 63)

/*
 * Added to the time since when a task waits: its CPU went idle as it stopped running. A CPU does
 * not idle beside a task that it could run. So it may not run: the limit of its cgroup stopped it.
 * Such a wait is negative as a signed number, too, but above THROTTLED_WAIT.
 */
#define SINCE_THROTTLED (1ULL << 62)
#define THROTTLED_WAIT	(-SINCE_THROTTLED)

/* Why a task is blocked. If there is more than one reason, the first one. */
enum blocked_cause {
	BLOCKED_MEMORY, /* it reclaims memory */
	BLOCKED_DIRTY,	/* it has written faster than the disk takes it */
	BLOCKED_FSYNC,	/* it is in an fsync */
	BLOCKED_DISK,	/* it waits for I/O otherwise */
	BLOCKED_OTHER,	/* not known */
	BLOCKED_CAUSES,
};

/* The cell of blocked: one for each slot, written with atomics. */
struct blocked_cell {
	struct hist blocked;
	__u64 cause_ns[BLOCKED_CAUSES]; /* add up to blocked.sum_ns */
};

/* How long a task was blocked, until its cgroup is known. */
struct blocked_aside {
	__u64 key; /* 0: nothing is kept here */
	__u64 ns;
	__u64 cause; /* enum blocked_cause */
};

/*
 * A thread that has asked a disk for something, and may wait for it. By a hash of its id. Another
 * one with the same hash takes its place.
 */
struct blocked_asker {
	__u64 thread;
	__u64 asked;	/* how often, and has not waited for it; at most BLOCKED_ASKED_MAX */
	__u64 asked_ns; /* when it last did */
};
#define BLOCKED_ASKED_MAX  8
#define BLOCKED_ASKED_NS   1000000000ULL
#define BLOCKED_ASKER_BITS 10

enum blocked_lost {
	BLOCKED_LOST_NO_WAKEUP, /* a blocked task ran, but its wakeup was missed */
	BLOCKED_LOST_NO_SWITCH, /* a task was gone before its cgroup was known */
	BLOCKED_LOST_COLLISION, /* the place of a blocked task was given to another task */
	BLOCKED_LOST_CLOCK,	/* it was blocked no more before it was, by the clock */
	BLOCKED_LOST_REASONS,
};

/*
 * The cells of fsync and memory: one for each slot, written with atomics. All CPUs share them,
 * because these events are rare, and a task may end one on another CPU than where it began.
 */
struct fsync_cell {
	struct hist fsync;
};

struct memory_cell {
	struct hist stall;
	__u64 oom_kills;
};

/* The time in which at least one task of a slot was stalled. */
struct stalled {
	struct span time;
	__u64 from_ns;	   /* start of its last stretch without a gap, up to time.until_ns */
	struct span added; /* a copy of time from when a long stall was last added */
};

/* The stalls of one slot on one CPU, from all probes: slot x CPU. */
struct stall_cell {
	struct stalled memory; /* tasks reclaim memory themselves */
	struct stalled io;     /* tasks wait for an fsync, a read, or a synchronous write */
};

/*
 * The threads that are in an fsync, or in a reclaim, by a hash of their id. The hash gives each
 * thread two sets. A thread keeps its way until another one needs it, and none needs it while the
 * thread is stalled. One set is one cache line. Two CPUs may take the same way at once: one of the
 * two stalls is then lost.
 */
#define STALL_SET_BITS 10
#define STALL_SETS     (1 << STALL_SET_BITS)
#define STALL_WAYS     3

struct stall_set {
	__u64 thread[STALL_WAYS];
	__u64 since_ns[STALL_WAYS]; /* 0: it is not stalled */
	__u16 group[STALL_WAYS];    /* of its cgroup: pair_group() */
} __attribute__((aligned(CACHE_LINE)));

/*
 * Half of the places are for whoever comes first. Of the other half, the threads of one pod or unit
 * have so many. User space counts anew at each update, as an end may be missed.
 */
#define STALLS_SHARED (STALL_SETS * STALL_WAYS / 2)
#define STALLS_QUOTA  128

struct stall_counts {
	__u32 all;
	__u32 of_group[PAIR_GROUPS];
};

/* How many tasks that the kernel has killed are remembered at a time. */
#define KILLED_MAX 1024

enum stall_lost {
	STALL_LOST_NO_BEGINNING, /* a stall ended, but its beginning was not seen */
	STALL_LOST_CLOCK,	 /* a stall began after it ended, by the clock */
	STALL_LOST_REASONS,
};

/*
 * A task that the kernel has sent a SIGKILL. The OOM killer's victim is marked, and it exits, in
 * either order and on any CPUs. Both events add to one word and then look at it. So whichever comes
 * later sees both.
 */
struct killed_task {
	__u64 state; /* KILLED_... */
	__u64 at_ns; /* the time of the last SIGKILL */
	__u64 cpu;   /* the CPU that sent it */
};
#define KILLED_MARKS	  0xffffULL /* how often it was marked */
#define KILLED_SLOT_SHIFT 16	    /* 1 + its slot when it exited; 0: it has not exited */
#define KILLED_TGID_SHIFT 32	    /* the id of its process when it exited */

static inline __attribute__((always_inline)) __u32 killed_exited(__u64 state)
{
	return (state >> KILLED_SLOT_SHIFT) & 0xffff;
}

enum tcp_connect_failure {
	TCP_CONNECT_REFUSED,
	TCP_CONNECT_TIMEOUT,
	TCP_CONNECT_OTHER,
	TCP_CONNECT_FAILURES,
};

enum tcp_direction {
	TCP_SENT,
	TCP_RECEIVED,
	TCP_DIRECTIONS,
};

enum tcp_role {
	TCP_SERVER,
	TCP_CLIENT,
	TCP_ROLES,
};

/* What a cgroup waited for a peer, as its client. */
struct tcp_peer_counts {
	__u64 wait_ns; /* for answers */
	__u64 exchanges;
	__u64 failures;	   /* connects */
	__u64 retransmits; /* segments */
};

/* What came to a port at which a cgroup listens. */
struct tcp_port_counts {
	__u64 accepted;
	struct hist response;
};

/*
 * What the sockets of one cgroup did. All CPUs share it, and add with atomics. accepted, and
 * response of a server, have only what is in no struct tcp_port_cell.
 */
struct tcp_cell {
	__u64 bytes[TCP_DIRECTIONS];
	__u64 open; /* stays 0: user space counts the open ones in the table of sockets */
	__u64 accepted;
	__u64 retransmits; /* segments */
	__u64 resets[TCP_DIRECTIONS];
	__u64 connect_failures[TCP_CONNECT_FAILURES];
	__u64 accept_queue_overflows; /* stays 0: user space reads them from procfs */
	struct hist response[TCP_ROLES];
	struct hist connect;
	struct hist rtt;
	struct tcp_peer_counts other_peers; /* that are in no struct tcp_peer_cell */
} __attribute__((aligned(CACHE_LINE)));

enum tcp_lost {
	TCP_LOST_NO_PLACE,   /* a socket was created or used, but the table had no place for it */
	TCP_LOST_NO_OWNER,   /* something happened to a socket whose cgroup was not known */
	TCP_LOST_CLOCK,	     /* an exchange ended before it began, by the clock */
	TCP_LOST_LONG_SEND,  /* the first send of an answer was so long that it may have waited */
	TCP_LOST_OVERTAKEN,  /* an answer may have come before the send of its question returned */
	TCP_LOST_STREAM,     /* data came so late on a stream that it may not be an answer */
	TCP_LOST_UNANSWERED, /* the side that asked spoke again before an answer: asked_again() */
	TCP_LOST_UNPAIRED,   /* without BTF: a connection has no record, so its target is unknown */
	TCP_LOST_PEERS_FULL, /* a peer of a cgroup found no place */
	TCP_LOST_PORTS_FULL, /* a port at which a cgroup listens found no place */
	TCP_LOST_REASONS,
};

/* How many sockets there are, or peers, or ports: their places have quotas (sockets.h). */
struct socket_counts {
	__u32 all;
	__u32 of_group[PAIR_GROUPS]; /* pair_group(); without those that have no owner */
};

/* What a request does, as the kernel counts it (op_stat_group(), /proc/diskstats). */
enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
	BLOCK_OPS,
};

/* The kernel's device numbers: 12 bits major, 20 bits minor (include/linux/kdev_t.h). */
#define BLOCK_MINOR_BITS 20

/* Whose requests, at which disk (never a partition), and of which kind. */
struct block_key {
	__u32 dev;
	__u16 slot;
	__u16 op; /* enum block_op */
};

/* The block probe's cell. Several CPUs and their interrupts write it: with atomics. */
struct block_cell {
	struct hist io;	   /* issue to completion */
	struct hist queue; /* creation (or what is first seen of a request) to issue */
	__u64 bytes;
	__u64 errors; /* requests that failed, in whole or in part */
};

/* The most cells there can be: container x device x op. */
#define BLOCK_CELLS_MAX	   2048

/* The most requests that are remembered. A device has a fixed number of them, and reuses them. */
#define BLOCK_REQUESTS_MAX 8192

enum block_state {
	BLOCK_REQUEST_FREE,   /* done, or never seen */
	BLOCK_REQUEST_QUEUED, /* created or inserted, not issued yet */
	BLOCK_REQUEST_BACK,   /* issued, and given back by the driver: it will be issued again */
	BLOCK_REQUEST_ISSUED,
	BLOCK_REQUEST_FOREIGN, /* a driver's command rather than I/O: not counted */
};

/* A request, by its address. The kernel handles a request on one CPU at a time. */
struct block_request {
	__u64 start_ns; /* 0: not seen */
	__u64 issue_ns; /* the last issue; 0: not issued */
	__u64 done;	/* bytes */
	__u64 cgroup;	/* of the slot; 0: not known */
	__u32 left;	/* bytes that were issued and are not done */
	__u32 dev;
	__u16 slot;
	__u8 op;
	__u8 state;
	__u8 failed;
	__u8 sync; /* REQ_SYNC: somebody waits for it */
	__u16 cpu; /* where it began */
};

/*
 * The record of one event, on kernels without BTF. It is left for the program that runs next on
 * this CPU and sees the address of the request.
 */
struct block_record {
	__u64 task; /* pid_tgid + 1; 0: the record was taken */
	__u32 dev;
	__u32 bytes;
	__u8 op;
	__u8 foreign;
	__u8 sync;
};

enum block_lost {
	BLOCK_LOST_NO_ISSUE,	  /* a request ended, but its issue was not seen */
	BLOCK_LOST_NO_COMPLETE,	  /* a request was used again, but its end was not seen */
	BLOCK_LOST_UNPAIRED,	  /* a request has no record, so its device is not known */
	BLOCK_LOST_REQUESTS_FULL, /* there was no place to remember a request */
	BLOCK_LOST_CELLS_FULL, /* no cell was left: counted for the overflow slot, or not at all */
	BLOCK_LOST_CLOCK,      /* a request ended before it began, by the clock */
	BLOCK_LOST_REASONS,
};

/* What the block programs keep for each CPU. With atomics, because interrupts count here, too. */
struct block_cpu {
	__u64 events; /* requests that were done */
	__u64 lost[BLOCK_LOST_REASONS];
	struct block_record record;
} __attribute__((aligned(CACHE_LINE)));

enum cgroup_event_kind {
	CGROUP_MADE = 1,
	CGROUP_REMOVED = 2,
};

#define CGROUP_PATH_MAX 1024

/*
 * A record in the ring buffer. It ends after the path, and not at CGROUP_PATH_MAX. The path is
 * there if the cgroup was made: the reader knows that of one that was removed.
 */
struct cgroup_event {
	__u64 id;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 kind;
	__u32 path_len; /* without the NUL that follows it */
	char path[CGROUP_PATH_MAX];
};

enum cgroup_lost {
	CGROUP_LOST_RING_FULL, /* the ring buffer had no place for an event */
	CGROUP_LOST_NO_SLOT,   /* a sample went to the overflow slot */
	CGROUP_LOST_QUOTA,     /* a unit's quota was used up: a sample went to the unit's slot */
	CGROUP_LOST_REASONS,
};

#endif
