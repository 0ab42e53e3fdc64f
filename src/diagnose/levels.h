/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From when on something is said, and why not before. All thresholds of src/diagnose stand here:
 * nothing that is healthy may be said to be wrong. docs/why.md has the same table.
 *
 * Levels of findings are shares of a minute: of the worst minute in what was asked for.
 */
#ifndef BRAMBLE_LEVELS_H
#define BRAMBLE_LEVELS_H

/* ---------------------------------------------------------------- the sentence of an interval */

/* A wait for less than this share of the interval gets no bar, no sentence and no place in the
 * record: healthy containers wait that long, too. */
#define WAITS_LEAST	       0.01

/* A second wait is said if it has this share of all waiting. Below it, it explains little. */
#define SECOND_WAIT_SHARE      0.25

/* Who caused less than this of the waits for a CPU is not said; nor is a second one below that. */
#define CAUSE_SHARE	       0.05
#define SECOND_CAUSE_SHARE     0.25

/* So much use of a CPU makes it busy. */
#define BUSY_CPUS	       0.5

/* Answers of its own that take longer are told in its sentence. */
#define SLOW_ANSWER_SECONDS    0.05

/* So many segments sent again a second are lost packets, and no accident: a network that works
 * loses some, too, when a queue is full. */
#define RETRANSMITS_PER_SECOND 1

/* ---------------------------------------------------------------- events */

/* A wait is news once it reaches the first share of the interval, and over below the second. */
#define WAIT_BEGINS	       0.25
#define WAIT_ENDS	       0.10

/* ---------------------------------------------------------------- findings */

/* How long it is looked at together: alerts and people ask by the minute. */
#define LEVEL_SECONDS	       60

/*
 * Waits of at least 1 ms while somebody else ran. Shorter ones are how tasks take turns. Below 5 %
 * of a minute (3 s), nobody notices. A program with many threads, on all CPUs, gives way to
 * somebody all the time: it is slower for it from a fifth of its time on.
 */
#define LEVEL_CPU	       0.05
#define LEVEL_CPU_OF_ITS_TIME  0.2

/* Its limit stops a container for a part of a period of 100 ms now and then, in a burst at its
 * start. */
#define LEVEL_CPU_LIMIT	       0.05

/* Reads that it waits for are not told from those that the kernel makes ahead of it. */
#define LEVEL_DISK	       0.1

/* A database on an SSD, and etcd where it does well, take 1 to 3 %. */
#define LEVEL_FSYNC	       0.05

/*
 * Answers to it that took longer than the first, and connections being opened. Faster ones are how
 * a client of a healthy server, or a proxy, works. Those longer than the second are how a client
 * waits for news (long polls, blocking reads of queues): they look the same as a slow answer.
 */
#define LEVEL_NETWORK	       0.1
#define LEVEL_ANSWER_SECONDS   0.1
#define LEVEL_POLL_SECONDS     1.0

/* The kernel reclaims a little now and then, as files fill the memory. */
#define LEVEL_MEMORY	       0.05

/* What is left when the causes above are taken away: each of them may be off by a little. */
#define LEVEL_BLOCKED	       0.1

/* Its own answers, by the same two bounds. A page that takes long to make, now and then, is no
 * trouble. */
#define LEVEL_SLOW_ANSWERS     0.1

/* Memory in use that is this part of the limit is at the limit: the kernel has reclaimed what it
 * could. */
#define LEVEL_OF_MEMORY_LIMIT  0.9

/* With this part of the machine's memory available, it is not short of memory: who stalls is at a
 * limit. */
#define LEVEL_MEMORY_AMPLE     0.15

/* Who grew less than this in an interval did not take the memory: every program's use goes up and
 * down by some MiB. */
#define LEVEL_GROWTH	       (8.0 * (1 << 20)) /* bytes */

/* Connects fail in a healthy cluster, too: to what is being started, or to the address of the
 * other family. One in ten seconds, all of a minute, is somebody who tries in vain. */
#define LEVEL_CONNECT_FAILURES 0.1 /* a second */

/* A server that is being started may be late once. */
#define LEVEL_FULL_QUEUE       0.1 /* a second */

/* ---------------------------------------------------------------- the machine */

/* The kubelet evicts pods below these (its defaults for nodefs.available, nodefs.inodesFree and
 * memory.available). */
#define LEVEL_DISK_AVAILABLE   0.1
#define LEVEL_INODES_FREE      0.05
#define LEVEL_MEMORY_AVAILABLE (100.0 * (1 << 20)) /* bytes */

#endif
