/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "bramble/growth.h"
#include "metrics/naming.h"
#include "metrics/pressure.h"
#include "metrics/unread.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"

/*
 * The slot of a removed cgroup stays its own for --retain, so that what ends late still counts for
 * it: sockets, and writes to disks. The fewer slots are free, the sooner it is freed. The last
 * switch of a task comes some milliseconds after the end of its cgroup.
 */
static const struct {
	unsigned int part; /* if less than one in so many slots is free */
	uint64_t removed_ns, idle_ns;
} limits[] = {
	{8, 0, 10 * NS_PER_S},
	{4, NS_PER_S, 60 * NS_PER_S},
	{2, 10 * NS_PER_S, UINT64_MAX},
};

/* Less than one in so many slots is free: slots are freed as events come, and not every 2 s. */
#define SCARCE_PART 8

struct slot {
	struct member *member; /* whom it counts for; NULL: not known, or no cgroup */
	bool kernel;	       /* it counts for the kernel: is_kernel_id() */
	enum kernel_job job;   /* of the kernel's threads that it counts */
	bool closed;	       /* to be freed; then it is still its member's */
	uint64_t active_ns;    /* CLOCK_MONOTONIC, when it was last seen to have counted */
	void *before[PROBES];  /* the cells at the last update; NULL: they were zero */
	struct probe_pressure *pressure;      /* the same by CPU; NULL: they were zero */
	uint64_t some_ns[PRESSURE_RESOURCES]; /* pressure to be added to its owner */
	struct probe_times times;	      /* at the last reading */
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

int slots_open(struct slots *slots, struct probe *probe, struct owners *owners,
	       const struct slots_places *places)
{
	*slots = (struct slots){
		.probe = probe,
		.owners = owners,
		.slot = calloc(probe_slots(probe), sizeof(*slots->slot)),
		.pressure = calloc(probe_cpus(probe), sizeof(*slots->pressure)),
		.due = calloc(probe_slots(probe), sizeof(*slots->due)),
		.freed = calloc(probe_slots(probe), sizeof(*slots->freed)),
		.under_way = calloc(probe_slots(probe), sizeof(*slots->under_way)),
		.made_ns = clock_boottime_ns(),
	};
	block_books_open(&slots->blocks, places->procfs, places->sysfs);
	roots_open(&slots->roots, probe, places->cgroupfs);
	if (targets_open(&slots->targets))
		return -ENOMEM;
	slots->idle = add_permanent(owners, "idle");
	if (slots->idle)
		owners_hide(owners, slots->idle); /* nothing is ever counted for it */
	slots->overflow = add_permanent(owners, "overflow");
	if (!slots->slot || !slots->pressure || !slots->due || !slots->freed || !slots->under_way ||
	    !slots->idle || !slots->overflow || !kernel_jobs_open(&slots->kernel, owners))
		return -ENOMEM;
	return 0;
}

static void free_cells(struct slot *slot)
{
	int id;

	for (id = 0; id < PROBES; id++)
		free(slot->before[id]);
	free(slot->pressure);
	*slot = (struct slot){0};
}

void slots_close(struct slots *slots)
{
	unsigned int i;

	causes_free(&slots->causes);
	block_books_free(&slots->blocks);
	targets_close(&slots->targets);
	for (i = 0; slots->slot && i < probe_slots(slots->probe); i++)
		free_cells(&slots->slot[i]);
	free(slots->slot);
	free(slots->pressure);
	free(slots->due);
	free(slots->freed);
	free(slots->under_way);
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

/*
 * Adds what one cell of a slot has grown by. Returns false without memory: the next update adds it.
 */
static bool update_cell(struct slots *slots, unsigned int index, enum probe_id id,
			struct owner *owner)
{
	enum family_source source = SOURCE_OF_PROBE(id);
	struct slot *slot = &slots->slot[index];
	union probe_cell now;
	size_t size = probe_read_cell(slots->probe, id, index, &now);

	if (!size || (!slot->before[id] && is_zero(&now, size)))
		return true;
	if (!slot->before[id])
		slot->before[id] = calloc(1, size);
	if (!ledger_get(&owner->ledger, source, NULL) || !slot->before[id])
		return false;
	if (!memcmp(&now, slot->before[id], size))
		return true;
	if (id == PROBE_SCHED && !add_other_causes(slots, owner, &now.sched, slot->before[id]))
		return false;
	if (id == PROBE_TCP &&
	    !targets_add_others(&slots->targets, owner, &now.tcp, slot->before[id]))
		return false;
	slots->stepped_back[id] +=
		(unsigned int)owner_add(owner, source, NULL, &now, slot->before[id]);
	memcpy(slot->before[id], &now, size);
	slot->active_ns = slots->now_ns;
	return true;
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

/* Whether all cgroups of an owner were made since the probe runs. */
static bool is_new(const struct slots *slots, const struct owner *owner)
{
	const struct member *member;

	DL_FOREACH2(owner->members, member, owner_next)
	if (member->cgroup.born_ns <= slots->made_ns)
		return false;
	return true;
}

/* Adds where the time of a slot's tasks went. A new owner's are known from the first one on. */
static void update_times(struct slots *slots, unsigned int index)
{
	struct slot *slot = &slots->slot[index];
	struct owner *owner = slot->member ? slot->member->owner : NULL;
	struct probe_times now;

	if (!owner || owner == slots->overflow || !probe_read_times(slots->probe, index, &now))
		return;
	if (!owner->times.counted && !owner->times.sum.tasks)
		owner->times.counted = is_new(slots, owner);
	times_add(&owner->times, &now, &slot->times);
	slot->times = now;
}

/* Adds what a slot has counted. Returns false if its owner does not have all of it yet. */
static bool update_cells(struct slots *slots, unsigned int index, struct owner *owner)
{
	struct slot *slot = &slots->slot[index];
	bool all = true;
	int i;

	if (!owner)
		return false;
	for (i = 0; i < PROBES; i++)
		all = update_cell(slots, index, (enum probe_id)i, owner) && all;
	update_pressure(slots, index);
	update_times(slots, index);
	if (!ledger_get(&owner->ledger, SOURCE_PRESSURE, NULL))
		return false;
	if (is_zero(slot->some_ns, sizeof(slot->some_ns)))
		return all;
	if (owner_add(owner, SOURCE_PRESSURE, NULL, slot->some_ns, NULL) < 0)
		return false;
	memset(slot->some_ns, 0, sizeof(slot->some_ns));
	return all;
}

/* Finds out whom a slot counts for. Returns NULL if that is not known yet. */
static struct member *bind_slot(struct slots *slots, unsigned int index, uint64_t id,
				slots_find_fn find, void *context)
{
	struct slot *slot = &slots->slot[index];

	if (slot->member && slot->member->owner)
		return slot->member;
	slot->member = find(context, id);
	if (slot->member) {
		slot->member->slot = index;
		slot->active_ns = slots->now_ns;
	}
	return slot->member;
}

static void update_slot(struct slots *slots, unsigned int index, uint64_t id, slots_find_fn find,
			void *context)
{
	const struct member *member;

	slots->slot[index].kernel = is_kernel_id(id);
	if (slots->slot[index].kernel) {
		slots->slot[index].job = kernel_job_of_id(id);
		update_cells(slots, index, slots->kernel.owner[KERNEL_JOB_OTHER]);
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
		return slots->kernel.owner[KERNEL_JOB_OTHER];
	return slot->member ? slot->member->owner : NULL;
}

/* Who it is to those who wait because of it. */
static struct owner *cause_of_slot(const struct slots *slots, unsigned int index)
{
	if (index < probe_slots(slots->probe) && slots->slot[index].kernel)
		return slots->kernel.owner[slots->slot[index].job];
	return owner_of_slot(slots, index);
}

static void on_pair(void *context, struct wait_pair pair, uint64_t wait_ns)
{
	struct slots *slots = context;
	struct owner *victim = owner_of_slot(slots, pair.victim);
	struct owner *cause = cause_of_slot(slots, pair.cause);

	if (victim && cause) /* else the next update knows them */
		slots->stepped_back[PROBE_SCHED] +=
			!causes_add(&slots->causes, pair, victim, cause, wait_ns);
}

static void on_block(void *context, const struct block_key *key, const struct block_cell *cell)
{
	struct slots *slots = context;
	struct owner *owner = owner_of_slot(slots, key->slot);

	if (owner && block_books_add(&slots->blocks, owner, key, cell))
		slots->slot[key->slot].active_ns = slots->now_ns;
}

static bool on_target(void *context, const struct probe_target *target)
{
	struct slots *slots = context;
	unsigned int index = target->target.slot;
	bool added,
		done = targets_add(&slots->targets, owner_of_slot(slots, index), target, &added);

	if (added)
		slots->slot[index].active_ns = slots->now_ns;
	return done;
}

void slots_update(struct slots *slots, slots_find_fn find, void *context, uint64_t now_ns)
{
	unsigned int i;
	uint64_t id;

	slots->now_ns = now_ns;
	roots_flush(&slots->roots);
	probe_update(slots->probe);
	update_cells(slots, SLOT_OVERFLOW, slots->overflow);
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		id = probe_slot_cgroup(slots->probe, i);
		if (slots->slot[i].closed)
			update_cells(slots, i, slots->slot[i].member->owner);
		else if (id)
			update_slot(slots, i, id, find, context);
	}
	slots->used = probe_slots_used(slots->probe);
	probe_read_pairs(slots->probe, on_pair, slots);
	block_books_begin(&slots->blocks);
	probe_read_blocks(slots->probe, on_block, slots);
	targets_begin(&slots->targets);
	/* Without memory to read them, they have not ended. */
	if (!probe_read_targets(slots->probe, on_target, slots))
		targets_end(&slots->targets, slots->owners);
}

void slots_update_pressure(struct slots *slots)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++)
		if (probe_slot_cgroup(slots->probe, i))
			update_pressure(slots, i);
}

static void add_under_way(struct slots *slots, unsigned int index)
{
	const struct slot *slot = &slots->slot[index];
	struct owner *owner = slot->member ? slot->member->owner : NULL;
	int i;

	for (i = 0; owner && i < TIME_SLEEP; i++)
		owner->times.under_way[i] += slots->under_way[index].ns[i];
}

void slots_update_times(struct slots *slots, struct owners *owners, uint64_t now_ns)
{
	unsigned int i, count = probe_slots(slots->probe);
	struct owner *owner;

	for (owner = owners->table; owner; owner = owner->hh.next)
		memset(owner->times.under_way, 0, sizeof(owner->times.under_way));
	for (i = SLOT_OVERFLOW + 1; i < count; i++)
		update_times(slots, i);
	memset(slots->under_way, 0, count * sizeof(*slots->under_way));
	probe_add_under_way(slots->probe, now_ns, slots->under_way);
	for (i = SLOT_OVERFLOW + 1; i < count; i++)
		add_under_way(slots, i);
}

void slots_read_times(struct slots *slots, unsigned int slot)
{
	if (slot != SLOT_OVERFLOW)
		update_times(slots, slot);
}

/* After which times slots are closed. */
struct retirement {
	uint64_t removed_ns; /* since the end of the cgroup */
	uint64_t idle_ns;    /* since something was counted */
};

static struct retirement retirement_of(const struct slots *slots, uint64_t retain_ns)
{
	unsigned int all = probe_slots(slots->probe), left = all - 1 - slots->used;
	struct retirement after = {retain_ns, retain_ns};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		if (left >= all / limits[i].part)
			continue;
		if (after.removed_ns > limits[i].removed_ns)
			after.removed_ns = limits[i].removed_ns;
		if (after.idle_ns > limits[i].idle_ns)
			after.idle_ns = limits[i].idle_ns;
		break;
	}
	return after;
}

/* Whether a pod or a unit has used up its quota with slots before this one. */
static bool is_over_quota(const struct slots *slots, unsigned int index)
{
	const struct cgroup_home *home = &slots->slot[index].member->home;
	unsigned int i, count = 0;

	if (!home->quota || slots->slot[index].member->cgroup.removed_ns)
		return false;
	for (i = SLOT_OVERFLOW + 1; i < index && count < home->quota; i++) {
		const struct member *other = slots->slot[i].member;

		count += other && !slots->slot[i].closed && other->home.key == home->key &&
			 other->home.quota;
	}
	return count == home->quota;
}

static bool is_due(const struct slots *slots, unsigned int index, const struct retirement *after)
{
	const struct slot *slot = &slots->slot[index];
	const struct cgroup *cgroup = &slot->member->cgroup;

	/* It may have been removed since now_ns was read. */
	if (cgroup->removed_ns)
		return grown(slots->now_ns, cgroup->removed_ns) >= after->removed_ns;
	return grown(slots->now_ns, slot->active_ns) > after->idle_ns &&
	       !probe_slot_is_held(slots->probe, index);
}

/* Finds the slots that are to be closed. Returns how many. */
static size_t find_due(struct slots *slots, const struct retirement *after, slots_find_fn find,
		       void *context)
{
	unsigned int i;
	size_t count = 0;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		uint64_t id = probe_slot_cgroup(slots->probe, i);

		if (!id || is_kernel_id(id) || !bind_slot(slots, i, id, find, context) ||
		    !slots->slot[i].member->owner)
			continue;
		if (is_over_quota(slots, i))
			roots_fold(&slots->roots, slots->slot[i].member);
		else if (!is_due(slots, i, after))
			continue;
		slots->due[count++] = i;
	}
	return count;
}

static void close_slots(struct slots *slots, size_t count)
{
	size_t i;
	int err;

	if (!count)
		return;
	err = probe_close_slots(slots->probe, slots->due, count);
	if (err) /* the next time tries again */
		log_warn("cannot close the slots of cgroups that have ended: %s", strerror(-err));
	for (i = 0; i < count; i++)
		slots->slot[slots->due[i]].closed =
			probe_slot_is_closed(slots->probe, slots->due[i]);
	slots->closed_ns = slots->now_ns;
}

/*
 * Adds what closed slots have counted since the last update. Their gauges are 0 by now. Returns
 * whether there are any and nothing of them is missing, so that they can be freed.
 */
static bool read_closed(struct slots *slots)
{
	bool any = false, all = true;
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		if (!slots->slot[i].closed)
			continue;
		all = update_cells(slots, i, slots->slot[i].member->owner) && all;
		any = true;
	}
	if (!any || !all)
		return false;
	probe_read_pairs(slots->probe, on_pair, slots);
	probe_read_blocks(slots->probe, on_block, slots);
	return !probe_read_targets(slots->probe, on_target, slots);
}

/* A cgroup keeps its place as long as one of its slots is closed and not free. */
static void keep_closed(struct slots *slots)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++)
		if (slots->slot[i].closed && !slots->slot[i].member->slot)
			slots->slot[i].member->slot = i;
}

/* Frees the slots that were closed a while ago, all in one pass, and the memory kept for them. */
static void free_closed(struct slots *slots)
{
	unsigned int i;
	int err;

	if (!read_closed(slots))
		return;
	err = probe_free_slots(slots->probe);
	if (err)
		log_warn("cannot free all slots of cgroups that have ended: %s", strerror(-err));
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(slots->probe); i++) {
		struct slot *slot = &slots->slot[i];

		slots->freed[i] = slot->closed && !probe_slot_is_closed(slots->probe, i);
		if (!slots->freed[i])
			continue;
		/* A cgroup that woke up meanwhile has another slot. */
		if (slot->member->slot == i)
			slot->member->slot = 0;
		free_cells(slot);
	}
	keep_closed(slots);
	causes_forget(&slots->causes, slots->freed, probe_slots(slots->probe));
	block_books_forget(&slots->blocks, slots->freed, probe_slots(slots->probe));
}

void slots_retire(struct slots *slots, slots_find_fn find, void *context, uint64_t retain_ns,
		  uint64_t now_ns)
{
	struct retirement after;

	slot_warnings_look(&slots->warnings, slots->probe, now_ns);
	roots_tell(&slots->roots, now_ns);
	roots_retry(&slots->roots, now_ns);
	/* What runs while a slot is closed ends first. */
	if (grown(now_ns, slots->closed_ns) < PROBE_CLOSING_NS)
		return;
	free_closed(slots);
	slots->used = probe_slots_used(slots->probe);
	after = retirement_of(slots, retain_ns);
	/* Since the last update a cgroup may have woken up. */
	if (slots->now_ns != now_ns)
		after.idle_ns = UINT64_MAX;
	slots->now_ns = now_ns;
	close_slots(slots, find_due(slots, &after, find, context));
	roots_flush(&slots->roots);
}

void slots_take_made(struct slots *slots, struct member *made)
{
	roots_take_made(&slots->roots, made);
}

void slots_take_refused(struct slots *slots, uint64_t id, const char *path)
{
	roots_take_refused(&slots->roots, id, path);
}

void slots_take_removed(struct slots *slots, uint64_t id)
{
	roots_take_removed(&slots->roots, id);
}

void slots_take_walked(struct slots *slots, const struct members *members)
{
	roots_take_walked(&slots->roots, members);
	roots_flush(&slots->roots);
}

bool slots_are_scarce(const struct slots *slots)
{
	unsigned int all = probe_slots(slots->probe);

	return !probe_sees_ancestors(slots->probe) ||
	       all - 1 - probe_slots_used(slots->probe) < all / SCARCE_PART;
}
