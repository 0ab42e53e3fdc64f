/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The collector brings together what the probe counted, which cgroup a slot
 * belongs to, and what that cgroup is called. It owns all of these. One thread
 * calls all of this.
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
#include "util/wall.h"

struct collector_options {
	struct probe_options probe;
	const char *cgroupfs; /* where cgroup v2 is mounted */
	const char *procfs, *sysfs;
	struct kube_options kube;
	bool sandboxes;	       /* show those of pods, which do nothing but sleep */
	size_t max_containers; /* with series of their own; 0: no limit */
	uint64_t retain_ns;    /* how long an owner stays after its last cgroup was removed */
};

struct collector;

/*
 * Opens the probe and reads the cgroups there are. The options' strings must
 * outlive the collector. On success the caller gives *out to
 * collector_close(). On failure the reason has been logged, and a negative
 * errno is returned.
 */
int collector_open(const struct collector_options *options, struct collector **out);
void collector_close(struct collector *collector);

/* Readable when collector_poll() has something to do. Owned by the collector. */
int collector_event_fd(const struct collector *collector);

/*
 * The event loop's part: does all that is due. It takes in the events of cgroups; asks the kubelet
 * for names that are wanted, and takes its answers; and every PRESSURE_INTERVAL_S it sums up the
 * pressure and attaches to file systems whose modules were loaded meanwhile. If there was no update
 * for a minute it makes one, as buckets must not wrap unseen and what was removed long ago is to
 * go. Cheap when there is nothing new.
 */
void collector_poll(struct collector *collector);

/*
 * Brings the owners up to date with the kernel's counts. To be called before owners are read. It
 * reads, and gives the names that are known by now: it loads no BPF program and sends nothing to
 * the kubelet. A name that it misses is asked for by collector_poll(), soon after.
 */
void collector_update(struct collector *collector);

/* What is known now has reached a reader: what has ended may be forgotten. */
void collector_mark_read(struct collector *collector);

const struct owners *collector_owners(const struct collector *collector);
const struct node *collector_node(const struct collector *collector);

/* Since when it counts, CLOCK_MONOTONIC: no other collector on this machine has the same. */
uint64_t collector_started_ns(const struct collector *collector);

/* How the wall clock is set. */
const struct wall *collector_wall(const struct collector *collector);
const struct probe *collector_probe(const struct collector *collector);
const struct members *collector_members(const struct collector *collector);
const struct kube_names *collector_names(const struct collector *collector);

/* Slots in use, without the overflow slot. */
unsigned int collector_slots_used(const struct collector *collector);

/* Waits whose cause found no place: the pairs beyond the bound. */
uint64_t collector_causes_lost(const struct collector *collector);

/* Cgroups that were gone before their name was known. */
uint64_t collector_unnamed(const struct collector *collector);

/*
 * Values of a probe that were lower than at the reading before, and added nothing. For
 * PROBE_CGROUP: pressures, and counters in the files of cgroups.
 */
uint64_t collector_stepped_back(const struct collector *collector, enum probe_id id);

#endif
