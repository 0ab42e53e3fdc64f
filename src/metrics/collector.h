/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The collector brings the parts together: what the probe counted in its slots (slots.h), what the
 * kernel counts in the files of cgroups (usage.h), which cgroups there are (members.h), and who
 * owns them (naming.h). It owns all of these. One thread calls all of this.
 */
#ifndef BRAMBLE_COLLECTOR_H
#define BRAMBLE_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/names.h"
#include "metrics/members.h"
#include "metrics/owners.h"
#include "node/node.h"
#include "probe/probe.h"
#include "sandbox/needs.h"
#include "util/wall.h"

struct collector_options {
	struct probe_options probe;
	const char *cgroupfs; /* where cgroup v2 is mounted */
	const char *procfs, *sysfs;
	struct kube_options kube;
	struct pod_roots pod_roots; /* its mount is set by collector_open() */
	bool sandboxes;		    /* show those of pods, which do nothing but sleep */
	bool sandbox;		    /* once it is open, the process enters it: collector_needs() */
	size_t max_containers;	    /* with series of their own; 0: no limit */
	uint64_t retain_ns;	    /* how long an owner stays after its last cgroup was removed */
};

struct collector;

/*
 * Opens the probe and reads which cgroups there are. The strings of the options must outlive the
 * collector. Returns 0, and the caller gives *out to collector_close(); or a negative errno, after
 * the reason has been logged.
 */
int collector_open(const struct collector_options *options, struct collector **out);
void collector_close(struct collector *collector);

/* Readable when collector_poll() has something to do. Owned by the collector. */
int collector_event_fd(const struct collector *collector);

/*
 * Does all the work that is due, for the event loop:
 * - takes in the events of cgroups;
 * - asks the kubelet for names that are wanted, and takes in its answers;
 * - every PRESSURE_INTERVAL_S, sums up the pressure, makes room in the probe, and attaches to file
 *   systems whose modules were loaded meanwhile;
 * - makes an update if there was none for a minute: buckets must not wrap unseen, and what was
 *   removed long ago has to go.
 * Cheap when nothing is due.
 */
void collector_poll(struct collector *collector);

/*
 * Brings the owners up to date with the kernel's counts. To be called before the owners are read.
 * It reads cells and files, and gives the names that are known by now. It loads no BPF program and
 * sends nothing to the kubelet: if it misses a name, collector_poll() asks for it soon after.
 */
void collector_update(struct collector *collector);

/*
 * Call it before the process gives up its rights: what will need them later is left to a process of
 * its own, if there is anything (probe/keeper.h).
 */
void collector_leave_late(struct collector *collector);

/*
 * Adds what the collector will still read and ask. So the sandbox can take away the rest: the
 * caller enters it.
 */
void collector_need(const struct collector *collector, struct sandbox_needs *needs);

/*
 * Who reads. A scraper keeps what it has seen and adds up what it sees, and a reading of the API is
 * compared with the one before. So while somebody scrapes, only that counts as reading: `top`,
 * which reads every second, would let go what no scraper has seen yet.
 */
enum reader { READER_METRICS, READER_API };

/* What is known now has reached a reader. So what has ended by now may be forgotten. */
void collector_mark_read(struct collector *collector, enum reader reader);

const struct owners *collector_owners(const struct collector *collector);
const struct node *collector_node(const struct collector *collector);

/* When it began to count, CLOCK_MONOTONIC. No other collector on this machine has the same time. */
uint64_t collector_started_ns(const struct collector *collector);

/* How the wall clock is set. */
const struct wall *collector_wall(const struct collector *collector);
const struct probe *collector_probe(const struct collector *collector);
const struct members *collector_members(const struct collector *collector);
const struct kube_names *collector_names(const struct collector *collector);

/* Slots in use, without the overflow slot. */
unsigned int collector_slots_used(const struct collector *collector);

/* Waits whose cause is not known, because there was no room for one more pair. */
uint64_t collector_causes_lost(const struct collector *collector);

/* Cgroups that were gone before their path was known. */
uint64_t collector_unnamed(const struct collector *collector);

/* Cgroups for which there was no place in the registry. */
uint64_t collector_cgroups_refused(const struct collector *collector);

/* Containers and units that have no series of their own, because there were too many. */
uint64_t collector_owners_refused(const struct collector *collector);

/*
 * Accounts of a ledger that found no memory as two owners became one or one was removed, and
 * overflows of accept queues that found none.
 */
uint64_t collector_accounts_lost(const struct collector *collector);
uint64_t collector_queues_lost(const struct collector *collector);

/* Tasks that came or went unseen: headcount.h. */
uint64_t collector_tasks_lost(const struct collector *collector);

/*
 * How many values of a probe were lower than at the reading before. They add nothing. PROBE_CGROUP
 * stands for the pressures and the counters in the files of cgroups.
 */
uint64_t collector_stepped_back(const struct collector *collector, enum probe_id id);

#endif
