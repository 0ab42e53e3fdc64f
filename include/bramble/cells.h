/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the BPF programs write and user space reads: slots, cells, counters of
 * what was lost, and the events of cgroups. Shared by both sides.
 *
 * A slot is the place of one cgroup. A cell is what one signal group counted
 * for one slot on one CPU. A CPU writes its own cells only, so the signals whose
 * hooks cannot be interrupted by themselves need no atomics.
 */
#ifndef BRAMBLE_CELLS_H
#define BRAMBLE_CELLS_H

#include <linux/types.h>

#include "bramble/hist.h"

#define CACHE_LINE	   64

/* The root of the hierarchy, as the kernel numbers it (fs/kernfs: the first of its ids). */
#define ROOT_CGROUP_ID	   1

/*
 * What is the kernel's own: its threads, which are in the root cgroup beside processes, and what
 * happens in no task's name. No cgroup has this id.
 */
#define KERNEL_CGROUP_ID   (~0ULL)

/* Samples of cgroups for which no slot was left are counted here. */
#define SLOT_OVERFLOW	   0

/* The idle task as the cause of a wait: beyond any real slot. */
#define SLOT_IDLE	   0xffffU
#define SLOT_BITS	   15
#define SLOTS_MAX	   (1U << SLOT_BITS)

/* Waits of at least this long are charged to what ran on the CPU just before. */
#define WAIT_CAUSED_MIN_NS 1000000ULL

enum switch_kind {
	SWITCH_VOLUNTARY,   /* the task blocked */
	SWITCH_INVOLUNTARY, /* the task was preempted, or yielded: it waits again */
	SWITCH_KINDS,
};

/* Time that is covered by intervals, which may overlap and are told in the order of their ends. */
struct span {
	__u64 covered_ns;
	__u64 until_ns; /* the end of the last one */
};

/* The scheduler's cell: slot x CPU. What most switches touch is its first cache line. */
struct sched_cell {
	__u64 switches[SWITCH_KINDS];
	__u64 ran_ns;
	struct span waiting;   /* at least one task waited */
	__u64 waiting_from_ns; /* since when it is covered without a gap, up to until_ns */
	struct span preempted; /* waiting as it was when a task was preempted last */
	struct hist wait;
	struct span added;     /* waiting as it was when a long wait was added last */
	__u64 caused_other_ns; /* waits whose cause found no place in the map of pairs */
	__u64 caused_other;    /* how many such waits there were */
} __attribute__((aligned(CACHE_LINE)));

/* A pair of slots: whose task waited, and whose task ran on that CPU before. */
struct wait_pair {
	__u16 victim;
	__u16 cause;
};

enum sched_lost {
	SCHED_LOST_NO_WAKEUP, /* a task ran whose wait's start was not seen, or was overwritten */
	SCHED_LOST_NO_SWITCH, /* a task was switched out that was not seen to be switched in */
	SCHED_LOST_COLLISION, /* a start was overwritten by another task's */
	SCHED_LOST_CLOCK,     /* the wait's start lay after its end */
	SCHED_LOST_REASONS,
};

/*
 * The slot of a task as it was when last looked up, in the lower SLOT_BITS bits, and above them
 * the generation of the tasks' membership in cgroups at that time: slot_known(). 0 is not known.
 */
typedef __u32 known_slot_t;

/* What the sched programs keep for each CPU. Hot: the first cache line. */
struct sched_cpu {
	__u64 running;		 /* key of the task that was switched in last */
	__u64 wait_ns;		 /* the wait of that task, not yet in a cell, or WAIT_UNKNOWN */
	__u64 idle;		 /* key of this CPU's idle task, 0 until it was seen */
	__u64 events;		 /* context switches seen */
	known_slot_t known_slot; /* of the running task */
	__u32 cause;		 /* slot of the task that ran before it */
	__u32 first_cell;	 /* index of this CPU's cell for slot 0; set by user space */
	__u64 in_ns;		 /* when that task was switched in */
	__u64 lost[SCHED_LOST_REASONS];
} __attribute__((aligned(CACHE_LINE)));

/* Negative as a signed number; so is a wait that ended before it began. */
#define WAIT_UNKNOWN  (1ULL << 63)

/*
 * The tasks, by a hash of their key, and since when each waits. A task keeps
 * its way of the set until another one needs it. One set is one cache line.
 */
#define TASK_SET_BITS 11
#define TASK_SETS     (1 << TASK_SET_BITS)
#define TASK_WAYS     3

struct task_set {
	__u64 key[TASK_WAYS];
	__u64 since_ns[TASK_WAYS];	    /* 0: the task does not wait */
	known_slot_t known_slot[TASK_WAYS]; /* XORed with key_mark() unless it is 0 */
	__u8 user[TASK_WAYS]; /* 1: it was seen to be made, and not as a thread of the kernel's */
} __attribute__((aligned(CACHE_LINE)));

/*
 * The cells of fsync and memory: by slot, shared by all CPUs, as these are rare
 * and a task may be elsewhere at the end. Written with atomics.
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
	__u64 from_ns;	   /* since when it is covered without a gap, up to time.until_ns */
	struct span added; /* time as it was when a long stall was added last */
};

/* What is known of the stalls of a slot on a CPU, from whichever probe: slot x CPU. */
struct stall_cell {
	struct stalled memory; /* tasks reclaim memory themselves */
	struct stalled io;     /* they wait for an fsync, a read, or a write to be done at once */
};

/* Threads whose fsyncs, or reclaims, are remembered at a time. */
#define STALLS_MAX 1024

enum stall_lost {
	STALL_LOST_NO_BEGINNING, /* one ended whose beginning was not seen */
	STALL_LOST_CLOCK,	 /* the beginning lay after the end */
	STALL_LOST_REASONS,
};

/*
 * A task that the kernel has sent a SIGKILL. The OOM killer's victim is marked, and exits, in any
 * order and on any CPUs. Both add to one word and look at it then, so that the later one sees both.
 */
struct killed_task {
	__u64 state; /* KILLED_... */
	__u64 at_ns; /* the last SIGKILL */
	__u64 cpu;   /* where that was sent */
};
#define KILLED_MARKS	  0xffffULL /* how often it was marked */
#define KILLED_SLOT_SHIFT 16	    /* 1 + the slot it had when it exited; 0: it has not */
#define KILLED_TGID_SHIFT 32	    /* its process's id then */

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

/* What the sockets of one cgroup did. CPUs share it and add with atomics. */
struct tcp_cell {
	__u64 bytes[TCP_DIRECTIONS];
	__u64 open; /* 0: user space counts them among the sockets */
	__u64 accepted;
	__u64 retransmits; /* segments */
	__u64 resets[TCP_DIRECTIONS];
	__u64 connect_failures[TCP_CONNECT_FAILURES];
	__u64 accept_queue_overflows; /* 0: user space reads them from procfs */
	struct hist response[TCP_ROLES];
	struct hist connect;
	struct hist rtt;
} __attribute__((aligned(CACHE_LINE)));

enum tcp_lost {
	TCP_LOST_NO_PLACE,   /* a socket was made, or used, that found no place among the sockets */
	TCP_LOST_NO_OWNER,   /* something happened to a socket whose cgroup was not known */
	TCP_LOST_CLOCK,	     /* an exchange ended before it began */
	TCP_LOST_LONG_SEND,  /* an answer's first send was so long that it may have waited */
	TCP_LOST_OVERTAKEN,  /* an answer may have come before its question's send had returned */
	TCP_LOST_STREAM,     /* what came so late on a stream need not have been an answer */
	TCP_LOST_UNANSWERED, /* who had asked spoke again after a second without an answer */
	TCP_LOST_REASONS,
};

enum tcp_event {
	TCP_EVENT_SEND,
	TCP_EVENT_RECEIVE,
	TCP_EVENT_ARRIVAL,
	TCP_EVENTS,
};

/*
 * What the tcp programs keep for each CPU. Each program has a word of its own to count in: one may
 * interrupt another one, but the kernel runs none within itself.
 */
struct tcp_cpu {
	__u64 events[TCP_EVENTS];
	__u64 child; /* key of the connection whose listening socket is about to be told, or 0 */
} __attribute__((aligned(CACHE_LINE)));

/*
 * The sockets, by a hash of their key: each has two sets where it may be, and is put into the
 * emptier one. If both are full it goes into the first of some further ones that has a place. One
 * set is one cache line.
 */
#define SOCKET_SET_BITS 13
#define SOCKET_SETS	(1 << SOCKET_SET_BITS)
#define SOCKET_WAYS	3
#define SOCKET_SETS_FAR 8

/*
 * The kernel changes a socket's state, and tells of arrivals, under the socket's lock. Sends
 * and receives are told of after it is released, by several CPUs at a time. So that none of them
 * overwrites what another one has changed, each field says who writes it.
 */
struct socket_set {
	__u64 key[SOCKET_WAYS];	  /* 0: free */
	__u64 turn[SOCKET_WAYS];  /* TURN_...: all do, a whole turn at a time */
	__u16 owner[SOCKET_WAYS]; /* whose cgroup's: who uses it, or has the lock of a new one */
	__u16 spoke[SOCKET_WAYS]; /* when data last went either way, in TURN_TICKs; 0: not yet */
	__u8 state[SOCKET_WAYS];  /* SOCKET_...: who has the lock */
} __attribute__((aligned(CACHE_LINE)));

/* The owner: a slot, or one of these, which lie beyond all slots. */
#define SOCKET_UNCLAIMED   0xfffeU /* nobody's yet: a connection not yet counted as accepted */
#define SOCKET_NOBODY	   0xffffU

#define SOCKET_SERVER	   (1U << 0) /* it answers */
#define SOCKET_CLIENT	   (1U << 1) /* it asks */
#define SOCKET_LISTENS	   (1U << 2)
#define SOCKET_CONNECTING  (1U << 3) /* its turn says since when */
#define SOCKET_ESTABLISHED (1U << 4) /* it is open */
#define SOCKET_FIN	   (1U << 5) /* the peer sends no more */
#define SOCKET_RETRANSMITS (1U << 6) /* while it connects */
#define SOCKET_RESET	   (1U << 7) /* received while it connects */

/*
 * A turn, from the lowest bit: a time in ns, modulo 13 days; whether the RTT is due to be read;
 * whether the last answer was large; how long the question is as far as it is known, in bytes, up
 * to 127; how surely the connection is a stream; and what has happened.
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
#define TURN_ASKED	   (1ULL << 62) /* since when */
/* A client: data has come that nobody asked for and nobody has read. The rest of an answer, or an
 * answer that is here before the send that asked for it has returned. The time is 1 if it came
 * after a silence. */
#define TURN_UNASKED	   (2ULL << 62)
/* If data is received now it was not just a FIN that came: a server was asked, since when; a
 * client was answered, after so long. */
#define TURN_UNCERTAIN	   (3ULL << 62)

/* Times in a connection are told apart by 2^30 ns; two of them or more are a silence. */
#define TURN_TICK_BITS	   30

/* What a request does, by the kernel's own books (op_stat_group(), /proc/diskstats). */
enum block_op {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,
	BLOCK_DISCARD,
	BLOCK_OPS,
};

/* Device numbers as the kernel has them: 12 bits and 20 bits (include/linux/kdev_t.h). */
#define BLOCK_MINOR_BITS 20

/* Whose requests, at which disk (never a partition), of which kind. */
struct block_key {
	__u32 dev;
	__u16 slot;
	__u16 op; /* enum block_op */
};

/* The block probe's cell. Several CPUs write it, also in interrupts: with atomics. */
struct block_cell {
	struct hist io;	   /* issue to completion */
	struct hist queue; /* from its making, or what is seen of it, to issue */
	__u64 bytes;
	__u64 errors; /* requests that failed, in whole or in part */
};

/* Cells there are at most: container x device x op. */
#define BLOCK_CELLS_MAX	   2048

/* Requests remembered at most. A device has a fixed number of them, which it uses again and again.
 */
#define BLOCK_REQUESTS_MAX 8192

enum block_state {
	BLOCK_REQUEST_FREE,   /* done, or never seen */
	BLOCK_REQUEST_QUEUED, /* made or inserted, not issued yet */
	BLOCK_REQUEST_BACK,   /* issued, and given back by the driver: to be issued again */
	BLOCK_REQUEST_ISSUED,
	BLOCK_REQUEST_FOREIGN, /* no I/O of its own but a driver's command: not counted */
};

/* What is known of a request, by its address. The kernel handles one on one CPU at a time. */
struct block_request {
	__u64 start_ns; /* 0: not seen */
	__u64 issue_ns; /* the last time; 0: not issued */
	__u64 done;	/* bytes */
	__u64 cgroup;	/* of the slot; 0: not known */
	__u32 left;	/* bytes of what was issued */
	__u32 dev;
	__u16 slot;
	__u8 op;
	__u8 state;
	__u8 failed;
	__u8 sync; /* to be done at once */
	__u16 cpu; /* where it began */
};

/*
 * One event's record, for the program that sees the request's address and runs
 * next on this CPU (kernels without BTF).
 */
struct block_record {
	__u64 task; /* pid_tgid; 0: taken */
	__u32 dev;
	__u32 bytes;
	__u8 op;
	__u8 foreign;
	__u8 sync;
};

enum block_lost {
	BLOCK_LOST_NO_ISSUE,	  /* a request ended that was not seen to be issued */
	BLOCK_LOST_NO_COMPLETE,	  /* a request was used again that was not seen to end */
	BLOCK_LOST_UNPAIRED,	  /* no record was seen for a request: no device is known */
	BLOCK_LOST_REQUESTS_FULL, /* no place to remember a request */
	BLOCK_LOST_CELLS_FULL, /* no cell was left: counted for the overflow slot, or not at all */
	BLOCK_LOST_CLOCK,      /* it ended before it began */
	BLOCK_LOST_REASONS,
};

/* What the block programs keep for each CPU. Counted with atomics: interrupts count, too. */
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

/* A record in the ring buffer. Only the path's own length is sent. */
struct cgroup_event {
	__u64 id;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 kind;
	__u32 path_len; /* without the NUL that follows it */
	char path[CGROUP_PATH_MAX];
};

enum cgroup_lost {
	CGROUP_LOST_RING_FULL, /* no place in the ring buffer for an event */
	CGROUP_LOST_NO_SLOT,   /* a sample went to the overflow slot */
	CGROUP_LOST_REASONS,
};

#endif
