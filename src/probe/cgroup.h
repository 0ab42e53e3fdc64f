/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The events of cgroups, which the cgroup probe sends through a ring buffer. */
#ifndef BRAMBLE_PROBE_CGROUP_H
#define BRAMBLE_PROBE_CGROUP_H

#include <stdint.h>

#include "bramble/cells.h"

struct probe;

/*
 * Readable when probe_poll() has something to do. It wakes who waits for it (EPOLLET) for the first
 * event after a probe_poll(), and for each one while the ring is at least half full. Owned by the
 * probe.
 */
int probe_event_fd(const struct probe *probe);

/*
 * Calls each for every cgroup made or removed since: all that are in the ring by now. Of those that
 * come meanwhile it reads only as many as the ring holds, so that nobody can keep it busy for good.
 * Returns 0, a negative errno, or 1: there may be more, and nobody is woken for these.
 */
typedef void (*probe_cgroup_fn)(void *context, const struct cgroup_event *event);
int probe_poll(struct probe *probe, probe_cgroup_fn each, void *context);

/* How many events found no place in the ring buffer. Makes no system call. */
uint64_t probe_cgroup_events_lost(const struct probe *probe);

#endif
