/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which cgroups the programs take for counting roots (bramble/roots.h), so that what is nested in
 * them takes no slots from others. One thread calls all of this.
 */
#ifndef BRAMBLE_PROBE_ROOTS_H
#define BRAMBLE_PROBE_ROOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bramble/roots.h"
#include "probe/options.h"

struct probe;

/* Whether the programs can see the ancestors of a cgroup. If not, they need aliases. */
bool probe_sees_ancestors(const struct probe *probe);

/*
 * Adds a root, which is forgotten when its cgroup is removed. group: see struct slot_root; 0 for
 * other kinds. Returns 0 or a negative errno: -E2BIG if there are too many.
 */
int probe_add_root(struct probe *probe, uint64_t id, enum slot_root_kind kind, uint64_t group);

/*
 * Lets a cgroup count in the slot of another one from now on, until it is removed. For programs
 * that do not see ancestors. Returns 0 or a negative errno: -E2BIG if there are too many.
 */
int probe_add_alias(struct probe *probe, uint64_t id, uint64_t home, uint64_t group);

/*
 * Lets tasks look up their slots again if roots or aliases were added since the last call. To be
 * called after all that are added at a time: anybody who makes cgroups adds some.
 */
void probe_tell_roots(struct probe *probe);

/*
 * Forgets the root or the alias of a cgroup. The programs do that when it is removed. One that was
 * added after that would stay for ever, and there is room for so many.
 */
void probe_forget_root(const struct probe *probe, uint64_t id);

/* The pod or unit of a slot that has a cgroup: the id of its cgroup. */
uint64_t probe_slot_group(const struct probe *probe, unsigned int slot);

/* For load.c. How this kernel's programs see ancestors. The kernel's types are known or not. */
enum slot_ancestors probe_find_ancestors(const struct probe *probe,
					 const struct probe_options *options);

/* For slots.c. Sizes the maps before the object is loaded. Returns 0 or a negative errno. */
int probe_size_roots(struct probe *probe);

/* For slots.c. Counts anew how much of the quotas is used, after slots were freed. */
int probe_recount_roots(struct probe *probe);

#endif
