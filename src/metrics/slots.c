/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "metrics/naming.h"
#include "metrics/pressure.h"
#include "util/clock.h"
#include "util/log.h"

/*
 * When few slots are left, the slot of a removed cgroup is freed after this time, even if --retain
 * is longer. The owner has the counts by then: a task's last switch comes some milliseconds after
 * the end of its cgroup.
 */
#define RETAIN_MIN_NS (10 * NS_PER_S)

struct slot {
	struct member *member;		 /* whom it counts for; NULL: not known, or no cgroup */
	bool kernel;			 /* it counts for KERNEL_CGROUP_ID */
	bool closed;			 /* to be freed */
	void *before[PROBES];		 /* the cells at the last update; NULL: they were zero */
	struct probe_pressure *pressure; /* the same by CPU; NULL: they were zero */
	uint64_t some_ns[PRESSURE_RESOURCES]; /* pressure to be added to its owner */
};

/* An owner without a cgroup. It is counted as if it had one, so that it stays. */
static struct owner *add_permanent(struct owners *owners, const char *unit)
{
	struct labels labels;
	struct owner *owner;

	naming_unit(&labels, unit);
	owner = owners_get(owners, &labels);
	if (owner)
		owner->cgroups++;
	return owner;
}

int slots_open(struct slots *slots, struct probe *probe, struct owners *owners, const char *procfs,
	       const char *sysfs)
{
	*slots = (struct slots){
		.probe = probe,
		.slot = calloc(probe_slots(probe), sizeof(*slots->slot)),
		.pressure = calloc(probe_cpus(probe), sizeof(*slots->pressure)),
	};
	block_books_open(&slots->blocks, procfs, sysfs);
	slots->idle = add_permanent(owners, "idle");
	if (slots->idle)
		owners_hide(owners, slots->idle); /* nothing is ever counted for it */
	slots->overflow = add_permanent(owners, "overflow");
	slots->kernel = add_permanent(owners, "kernel");
	if (!slots->slot || !slots->pressure || !slots->idle || !slots->overflow || !slots->kernel)
		return -ENOMEM;
	return 0;
}

static void free_cells(struct slot *slot)
{
	int id;

	for (id = 0; id < PROBES; id++)
		free(slot->before[id]);
	free(slot->pressure);
}

void slots_close(struct slots *slots)
{
	unsigned int i;

	causes_free(&slots->causes);
	block_books_free(&slots->blocks);
	for (i = 0; slots->slot && i < probe_slots(slots->probe); i++)
		free_cells(&slots->slot[i]);
	free(slots->slot);
	free(slots->pressure);
}

/* Waits whose cause found no room among the pairs: two fields of the scheduler's cell. */
static bool add_other_causes(struct slots *slots, struct owner *owner, const struct sched_cell *now,
			     const struct sched_cell *before)
{
	uint64_t wait_ns = grown(now->caused_other_ns, before->caused_other_ns);

	if (wait_ns && !owner_add_caused(owner, &owner_other, wait_ns))
		return false;
	slots->causes_lost += grown(now->caused_other, before->caused_other);
	return true;
}

static bool is_zero(const void *data, size_t size)
{
	const char *bytes = data;

	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

/* Adds what one cell of a slot has grown by. Without memory the next update adds it. */
static void update_cell(struct slots *slots, unsigned int index, enum probe_id id,
			struct owner *owner)
{
	enum family_source source = SOURCE_OF_PROBE(id);
	struct slot *slot = &slots->slot[index];
	union probe_cell now;
	size_t size = probe_read_cell(slots->probe, id, index, &now);

	if (!size || (!slot->before[id] && is_zero(&now, size)))
		return;
	if (!slot->before[id])
		slot->before[id] = calloc(1, size);
	if (!ledger_get(&owner->ledger, source, NULL) || !slot->before[id] ||
	    !memcmp(&now, slot->before[id], size))
		return;
	if (id == PROBE_SCHED && !add_other_causes(slots, owner, &now.sched, slot->before[id]))
		return;
	slots->stepped_back[id] +=
		(unsigned int)ledger_add(&owner->ledger, source, NULL, &now, slot->before[id]);
	memcpy(slot->before[id], &now, size);
}

/* Sums up the pressure of a slot. Its owner may not be known yet. */
static void update_pressure(struct slots *slots, unsigned int index)
{
	struct slot *slot = &slots->slot[index];
	size_t cpus = probe_cpus(slots->probe);

	if (!probe_read_pressure(slots->probe, index, slots->pressure))
		return;
	if (!slot->pressure)
		slot->pressure = calloc(cpus, sizeof(*slot->pressure));
	if (slot->pressure)
		slots->stepped_back[PROBE_CGROUP] +=
			pressure_add_growth(slots->pressure, slot->pressure, cpus, slot->some_ns);
}

static void update_cells(struct slots *slots, unsigned int index, struct owner *owner)
{
	struct slot *slot = &slots->slot[index];
	int i;

	for (i = 0; i < PROBES && owner; i++)
		update_cell(slots, index, (enum probe_id)i, owner);
	if (!owner)
		return;
	update_pressure(slots, index);
	if (ledger_add(&owner->ledger, SOURCE_PRESSURE, NULL, slot->some_ns, NULL) >= 0)
		memset(slot->some_ns, 0, sizeof(slot->some_ns));
}

/* Finds out whom a slot counts for. Returns NULL if that is not known yet. */
static struct member *bind_slot(struct slots *slots, unsigned int index, uint64_t id,
				slots_find_fn find, void *context)
{
	struct slot *slot = &slots->slot[index];

	if (slot->member && slot->member->owner)
		return slot->member;
	slot->member = find(context, id);
	if (slot->member)
		slot->member->slot = index;
	return slot->member;
}

static void update_slot(struct slots *slots, unsigned int index, uint64_t id, slots_find_fn find,
			void *context)
{
	const struct member *member;

	slots->slot[index].kernel = id == KERNEL_CGROUP_ID;
	if (slots->slot[index].kernel) {
		update_cells(slots, index, slots->kernel);
		return;
	}
	member = bind_slot(slots, index, id, find, context);
	if (member)
		update_cells(slots, index, member->owner);
}

static struct owner *owner_of_slot(const struct slots *slots, unsigned int index)
{
	const struct slot *slot;

	if (index == SLOT_IDLE)
		return slots->idle;
	if (index == SLOT_OVERFLOW)
		return slots->overflow;
	if (index >= probe_slots(slots->probe))
		return NULL;
	slot = &slots->slot[index];
	if (slot->kernel)
		return slots->kernel;
	return slot->member ? slot->member->owner : NULL;
}

static void on_pair(void *context, struct wait_pair pair, uint64_t wait_ns)
{
	struct slots *slots = context;
	struct owner *victim = owner_of_slot(slots, pair.victim);
	struct owner *cause = owner_of_slot(slots, pair.cause);

	if (victim && cause) /* else the next update knows them */
		slots->stepped_back[PROBE_SCHED] +=
			!causes_add(&slots->causes, pair, victim, cause, wait_ns);
}

static void on_block(void *context, const struct block_key *key, const struct block_cell *cell)
{
	struct slots *slots = context;
	struct owner *owner = owner_of_slot(slots, key->slot);

	if (owner)
		block_books_add(&slots->blocks, owner, key, cell);
}

void slots_update(struct slots *slots, slots_find_fn find, void *context)
{
	unsigned int i;
	uint64_t id;

	slots->used = 0;
	probe_update(slots->probe);
	update_cells(slots, SLOT_OVERFLOW, slots->overflow);
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		id = probe_slot_cgroup(slots->probe, i);
		if (!id)
			continue;
		slots->used++;
		update_slot(slots, i, id, find, context);
	}
	probe_read_pairs(slots->probe, on_pair, slots);
	block_books_begin(&slots->blocks);
	probe_read_blocks(slots->probe, on_block, slots);
}

void slots_update_pressure(struct slots *slots)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++)
		if (probe_slot_cgroup(slots->probe, i))
			update_pressure(slots, i);
}

static bool close_slot(struct slots *slots, unsigned int index)
{
	struct slot *slot = &slots->slot[index];
	int err = probe_close_slot(slots->probe, index);

	if (err) /* the next update tries again */
		log_warn("cannot free slot %u of %s: %s", index, slot->member->cgroup.path,
			 strerror(-err));
	else
		slot->closed = true;
	return !err;
}

/* Closes the slots of cgroups that were removed long enough ago. Returns whether there were any. */
static bool close_slots(struct slots *slots, uint64_t retain_ns, uint64_t now_ns)
{
	bool scarce = slots->used > probe_slots(slots->probe) / 8 * 7, any = false;
	unsigned int i;

	if (scarce && retain_ns > RETAIN_MIN_NS)
		retain_ns = RETAIN_MIN_NS;
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		const struct member *member = slots->slot[i].member;

		/* It may have been removed since now_ns was read. */
		if (member && member->cgroup.removed_ns &&
		    grown(now_ns, member->cgroup.removed_ns) > retain_ns)
			any |= close_slot(slots, i);
	}
	return any;
}

/* Adds what closed slots have counted since the update. Their gauges are 0 by now. */
static void read_closed(struct slots *slots)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++)
		if (slots->slot[i].closed)
			update_cells(slots, i, slots->slot[i].member->owner);
	probe_read_pairs(slots->probe, on_pair, slots);
	probe_read_blocks(slots->probe, on_block, slots);
}

void slots_retire(struct slots *slots, uint64_t retain_ns, uint64_t now_ns)
{
	unsigned int i;
	int err;

	if (!close_slots(slots, retain_ns, now_ns))
		return;
	read_closed(slots);
	err = probe_free_slots(slots->probe);
	if (err)
		log_warn("cannot free the slots of removed cgroups: %s", strerror(-err));
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		if (!slots->slot[i].closed)
			continue;
		causes_forget(&slots->causes, i);
		block_books_forget(&slots->blocks, i);
		slots->slot[i].member->slot = 0;
		slots->slot[i].member = NULL;
		slots->slot[i].closed = false;
	}
}
