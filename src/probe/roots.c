/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/roots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "kernel/features.h"
#include "probe/internal.h"
#include "probe/slots.h"

#include "bramble.skel.h"

/* There are fewer roots than slots on most machines: containers of pods are none. */
#define ROOTS_OF_SLOTS	 2
#define ALIASES_OF_SLOTS 4

bool probe_sees_ancestors(const struct probe *probe)
{
	return probe->ancestors != SLOT_ANCESTORS_UNKNOWN;
}

enum slot_ancestors probe_find_ancestors(const struct probe *probe,
					 const struct probe_options *options)
{
	if (options->blind)
		return SLOT_ANCESTORS_UNKNOWN;
	if (feature_ancestor_cgroup_id() > 0)
		return SLOT_ANCESTORS_HELPER;
	return probe->btf ? SLOT_ANCESTORS_TYPES : SLOT_ANCESTORS_UNKNOWN;
}

int probe_size_roots(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	unsigned int aliases = probe_sees_ancestors(probe) ? 1 : ALIASES_OF_SLOTS * probe->slots;
	int err = bpf_map__set_max_entries(bpf->maps.slot_roots, ROOTS_OF_SLOTS * probe->slots);

	bpf->rodata->slot_ancestors = probe->ancestors;
	return err ?: bpf_map__set_max_entries(bpf->maps.slot_aliases, aliases);
}

/* A task may know a slot that is not the right one from now on. */
void probe_tell_roots(struct probe *probe)
{
	if (probe->roots_changed)
		__atomic_add_fetch(&probe->bpf->data->membership_generation, SLOTS_MAX,
				   __ATOMIC_RELEASE);
	probe->roots_changed = false;
}

int probe_add_root(struct probe *probe, uint64_t id, enum slot_root_kind kind, uint64_t group)
{
	struct slot_root root = {.group = group, .kind = kind};

	if (bpf_map_update_elem(bpf_map__fd(probe->bpf->maps.slot_roots), &id, &root, BPF_NOEXIST))
		return errno == EEXIST ? 0 : -errno;
	probe->roots_changed = true;
	return 0;
}

int probe_add_alias(struct probe *probe, uint64_t id, uint64_t home, uint64_t group)
{
	struct slot_alias alias = {home, group};

	if (bpf_map_update_elem(bpf_map__fd(probe->bpf->maps.slot_aliases), &id, &alias, BPF_ANY))
		return -errno;
	probe->roots_changed = true;
	return 0;
}

void probe_forget_root(const struct probe *probe, uint64_t id)
{
	bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_roots), &id);
	if (!probe_sees_ancestors(probe))
		bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_aliases), &id);
}

uint64_t probe_slot_group(const struct probe *probe, unsigned int slot)
{
	return __atomic_load_n(&probe->slot_groups[slot], __ATOMIC_RELAXED);
}

static uint32_t count_nested(const struct probe *probe, uint64_t group)
{
	unsigned int slot;
	uint32_t nested = 0;

	for (slot = SLOT_OVERFLOW + 1; slot < probe->slots; slot++) {
		uint64_t id = probe_slot_cgroup(probe, slot);

		nested += id && id != group && probe_slot_group(probe, slot) == group;
	}
	return nested;
}

/* A program may count one more meanwhile. Then the next recount finds it. */
static void recount(const struct probe *probe, const uint64_t *id, struct slot_root *root,
		    uint32_t count)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_roots);
	uint32_t i, nested;

	for (i = 0; i < count; i++) {
		nested = root[i].nested ? count_nested(probe, id[i]) : 0;
		if (nested == root[i].nested)
			continue;
		root[i].nested = nested;
		/* It may have been removed. */
		bpf_map_update_elem(fd, &id[i], &root[i], BPF_EXIST);
	}
}

int probe_recount_roots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_roots), err = 0;
	uint32_t position = 0, count = ROOTS_OF_SLOTS * probe->slots;
	struct slot_root *root = calloc(count, sizeof(*root));
	uint64_t *id = calloc(count, sizeof(*id));

	if (!root || !id)
		err = -ENOMEM;
	else if (bpf_map_lookup_batch(fd, NULL, &position, id, root, &count, NULL) &&
		 errno != ENOENT)
		err = -errno;
	else
		recount(probe, id, root, count);
	free(root);
	free(id);
	return err;
}
