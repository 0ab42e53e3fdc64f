/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The slots: which cgroup each belongs to, and how one is given to another cgroup. */
#ifndef BRAMBLE_PROBE_SLOTS_H
#define BRAMBLE_PROBE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe;

unsigned int probe_slots(const struct probe *probe);

/* The cgroup id of a slot, 0 when it is free or the overflow slot. */
uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot);

/*
 * Whether a cgroup has a slot of its own that is not closed. True if the kernel does not tell. One
 * system call.
 */
bool probe_has_slot(const struct probe *probe, uint64_t cgroup);

/* How many look-ups found no free slot. Their samples are in the overflow slot. */
uint64_t probe_slots_missed(const struct probe *probe);

/*
 * Closes slots, all in one pass. No look-up finds them any more. If a cgroup is still there and
 * does something, it gets another slot. A program that is running at this moment may still write to
 * the cells of a closed slot. So wait for PROBE_CLOSING_NS, read them once more, and then call
 * probe_free_slots(). Returns 0 or a negative errno: -ENOENT if one was not in use. A slot that
 * could not be closed stays as it was: probe_slot_is_closed().
 */
#define PROBE_CLOSING_NS UINT64_C(100000000)
int probe_close_slots(struct probe *probe, const unsigned int *slots, size_t count);

/* Whether a slot was closed and is not free yet. */
bool probe_slot_is_closed(const struct probe *probe, unsigned int slot);

/*
 * Whether a probe keeps something for a slot that would be lost with it, as of the last
 * probe_update(): sockets, whose owner it is.
 */
bool probe_slot_is_held(const struct probe *probe, unsigned int slot);

/*
 * How many slots have a cgroup, or had one and are not free yet. The overflow slot does not count.
 * Cheap.
 */
unsigned int probe_slots_used(const struct probe *probe);

/*
 * Makes the closed slots free for new cgroups, with empty cells. Deletes their pairs, and their
 * cells of the block probe. Returns 0 or a negative errno. A slot stays closed if that fails, if
 * its cells cannot be cleared, or while a CPU runs a task that has waited because of its cgroup:
 * that wait is counted when the task is switched out.
 */
int probe_free_slots(struct probe *probe);

/* For probe.c. Sizes the maps of slots before the object is loaded. Returns 0 or a negative errno.
 */
int probe_size_slots(struct probe *probe);

/* The same: maps the cgroups' ids, and fills the queue of free slots. */
int probe_map_slots(struct probe *probe);
void probe_unmap_slots(struct probe *probe);

#endif
