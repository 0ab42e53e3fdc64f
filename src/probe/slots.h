/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The slots: which cgroup each belongs to, and how one is given to another cgroup. */
#ifndef BRAMBLE_PROBE_SLOTS_H
#define BRAMBLE_PROBE_SLOTS_H

#include <stdint.h>

struct probe;

unsigned int probe_slots(const struct probe *probe);

/* The cgroup id of a slot, 0 when it is free or the overflow slot. */
uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot);

/*
 * Closes a slot whose cgroup is gone. No sample goes to it any more. Read its counts once more
 * before probe_free_slots(). Returns 0 or a negative errno: -ENOENT if the slot is not in use. On
 * other errors it stays as it was.
 */
int probe_close_slot(struct probe *probe, unsigned int slot);

/*
 * Makes the closed slots free for new cgroups. Deletes their pairs, and their cells of the block
 * probe. Their other cells keep their counts, because a program that is running at this moment may
 * still write to them. So only what they grow by from now on belongs to the next cgroup. Returns 0
 * or a negative errno.
 */
int probe_free_slots(struct probe *probe);

/* For probe.c. Sizes the maps of slots before the object is loaded. Returns 0 or a negative errno.
 */
int probe_size_slots(struct probe *probe);

/* The same: maps the cgroups' ids, and fills the queue of free slots. */
int probe_open_slots(struct probe *probe);
void probe_close_slots(struct probe *probe);

#endif
