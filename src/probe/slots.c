/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "probe/cells.h"
#include "probe/descriptors.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/roots.h"

#include "bramble.skel.h"

int probe_size_slots(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, probe->slots);

	bpf->rodata->slot_kernel_jobs = probe->slots >= KERNEL_JOBS_SLOTS;
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_groups, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, probe->slots);
	err = err ?: probe_size_roots(probe);
	return err ?: bpf_map__set_max_entries(bpf->maps.slot_free, probe->slots);
}

/* It is a stack. The last slot is pushed first, so the lowest are given first. */
static int fill_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free);
	unsigned int slot;

	for (slot = probe->slots - 1; slot > SLOT_OVERFLOW; slot--)
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

int probe_map_slots(struct probe *probe)
{
	probe->slot_cgroups = probe_map_array(probe->bpf->maps.slot_cgroups);
	probe->slot_groups = probe_map_array(probe->bpf->maps.slot_groups);
	probe->slot_state = calloc(probe->slots, sizeof(*probe->slot_state));
	return probe->slot_cgroups && probe->slot_groups && probe->slot_state
		       ? fill_free_slots(probe)
		       : -ENOMEM;
}

void probe_unmap_slots(struct probe *probe)
{
	probe_unmap_array(probe->bpf->maps.slot_cgroups, probe->slot_cgroups);
	probe_unmap_array(probe->bpf->maps.slot_groups, probe->slot_groups);
	free(probe->slot_state);
}

unsigned int probe_slots(const struct probe *probe)
{
	return probe->slots;
}

uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot)
{
	return __atomic_load_n(&probe->slot_cgroups[slot], __ATOMIC_ACQUIRE);
}

bool probe_has_slot(const struct probe *probe, uint64_t cgroup)
{
	unsigned int slot;
	uint64_t owner;

	if (bpf_map_lookup_elem(bpf_map__fd(probe->bpf->maps.slot_by_cgroup), &cgroup, &slot))
		return errno != ENOENT;
	owner = probe_slot_cgroup(probe, slot);
	return !owner || owner == cgroup; /* 0: it is just being given to it */
}

uint64_t probe_slots_missed(const struct probe *probe)
{
	return __atomic_load_n(&probe->bpf->bss->cgroup_lost[CGROUP_LOST_NO_SLOT],
			       __ATOMIC_RELAXED);
}

unsigned int probe_slots_used(const struct probe *probe)
{
	return __atomic_load_n(&probe->bpf->bss->slots_used, __ATOMIC_RELAXED);
}

bool probe_slot_is_closed(const struct probe *probe, unsigned int slot)
{
	return probe_is_closed(probe, slot);
}

bool probe_slot_is_held(const struct probe *probe, unsigned int slot)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->holds_slot &&
		    probe_descriptors[id]->holds_slot(probe, slot))
			return true;
	return false;
}

/* From now on no look-up finds the slot. */
static int make_unknown(struct probe *probe, unsigned int slot)
{
	uint64_t id = probe_slot_cgroup(probe, slot);

	if (!id)
		return -ENOENT;
	if (bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_by_cgroup), &id))
		return -errno;
	__atomic_store_n(&probe->slot_cgroups[slot], 0, __ATOMIC_RELEASE);
	probe->slot_state[slot] = SLOT_STATE_CLOSED;
	return 0;
}

/* Ends the closing for the probes before end, which have begun it. */
static void end_close(struct probe *probe, enum probe_id end)
{
	enum probe_id id;

	for (id = 0; id < end; id++)
		if (probe->enabled[id] && probe_descriptors[id]->end_close)
			probe_descriptors[id]->end_close(probe);
}

int probe_close_slots(struct probe *probe, const unsigned int *slots, size_t count)
{
	enum probe_id id;
	size_t i;
	int err = 0;

	for (id = 0; id < PROBES && !err; id++)
		if (probe->enabled[id] && probe_descriptors[id]->begin_close)
			err = probe_descriptors[id]->begin_close(probe);
	if (err) {
		end_close(probe, id - 1);
		return err;
	}
	for (i = 0; i < count; i++)
		err = make_unknown(probe, slots[i]) ?: err;
	/* Now the tasks that know one of them look it up again. */
	__atomic_add_fetch(&probe->bpf->data->membership_generation, SLOTS_MAX, __ATOMIC_RELEASE);
	end_close(probe, PROBES);
	return err;
}

/* Whether a program may still count for a closed slot. */
static bool is_used(const struct probe *probe, unsigned int slot)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->uses_slot &&
		    probe_descriptors[id]->uses_slot(probe, slot))
			return true;
	return false;
}

/* Chooses the slots that are freed now. Returns 0, or -ENOMEM if one cannot be. */
static int choose_freed(struct probe *probe)
{
	unsigned int slot;
	int err = 0;

	for (slot = SLOT_OVERFLOW + 1; slot < probe->slots; slot++) {
		if (!probe->slot_state[slot])
			continue;
		probe->slot_state[slot] = SLOT_STATE_CLOSED;
		if (is_used(probe, slot))
			continue;
		if (probe_can_clear_cells(probe, slot))
			probe->slot_state[slot] = SLOT_STATE_FREED;
		else
			err = -ENOMEM;
	}
	return err;
}

/* Deletes what the probes keep for them. If one of them fails, no slot is freed. */
static int free_kept(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES && !err; id++)
		if (probe->enabled[id] && probe_descriptors[id]->free_slots)
			err = probe_descriptors[id]->free_slots(probe);
	return err;
}

int probe_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free), left = choose_freed(probe);
	int err = free_kept(probe);
	unsigned int slot;

	if (err)
		return err;
	/* So that the lowest slot is given first. */
	for (slot = probe->slots - 1; slot > SLOT_OVERFLOW; slot--) {
		if (!probe_is_freed(probe, slot))
			continue;
		probe_clear_cells(probe, slot);
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY)) {
			left = -errno;
			continue;
		}
		probe->slot_state[slot] = SLOT_STATE_OPEN;
		__atomic_sub_fetch(&probe->bpf->bss->slots_used, 1, __ATOMIC_RELAXED);
	}
	return probe_recount_roots(probe) ?: left;
}
