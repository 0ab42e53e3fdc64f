/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/owners.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/unread.h"
#include "util/clock.h"

const struct owner owner_other = {.labels.unit = "other", .summed = true};
const struct owner owner_gone = {.labels.unit = "other", .summed = true};

struct owner *owners_find(const struct owners *owners, const struct labels *labels)
{
	struct owner *owner;

	HASH_FIND(hh, owners->table, labels, sizeof(*labels), owner);
	return owner;
}

static bool is_container(const struct owner *owner)
{
	return !owner->labels.unit[0];
}

static bool is_of_pod(const struct labels *labels)
{
	return labels->pod[0];
}

/* Whether one more container has a place of its own. */
static bool has_place(const struct owners *owners, const struct labels *labels)
{
	size_t max = owners->max_containers;

	if (!max)
		return true;
	if (owners->pods && !is_of_pod(labels) && owners->outside >= max - max / 2)
		return false;
	return owners->containers < max;
}

/* So many more containers are as this one. */
static void add_like(struct owners *owners, const struct owner *owner, size_t count)
{
	*(owner->summed ? &owners->summed : &owners->containers) += count;
	if (!owner->summed && !is_of_pod(&owner->labels))
		owners->outside += count;
}

/* A container gets series of its own, or is summed. */
static void count_in(struct owners *owners, struct owner *owner)
{
	if (!is_container(owner))
		return;
	owner->summed = !has_place(owners, &owner->labels);
	if (owner->summed && !owners->sum_made_ns)
		owners->sum_made_ns = owner->made_ns;
	add_like(owners, owner, 1);
}

static void count_out(struct owners *owners, const struct owner *owner)
{
	if (is_container(owner) && !owner->hidden)
		add_like(owners, owner, (size_t)-1);
}

void owners_hide(struct owners *owners, struct owner *owner)
{
	if (owner->hidden || owner->summed)
		return;
	count_out(owners, owner);
	owner->hidden = true;
}

void owners_hold(struct owner *owner)
{
	owner->held = true;
}

void owners_show(struct owner *owner)
{
	owner->held = false;
}

bool owner_has_series(const struct owner *owner)
{
	return !owner->hidden && !owner->summed && !owner->held;
}

static bool is_full(const struct owners *owners, const struct labels *labels)
{
	if (!owners->max)
		return false;
	return HASH_COUNT(owners->table) >= owners->max ||
	       (!is_of_pod(labels) && owners->outsiders >= owners->max / 2);
}

struct owner *owners_get(struct owners *owners, const struct labels *labels)
{
	struct owner *owner = owners_find(owners, labels);

	if (owner)
		return owner;
	if (is_full(owners, labels)) {
		owners->refused++;
		return owners->refuge;
	}
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->labels = *labels;
	owner->id = ++owners->last_id;
	owner->made_ns = clock_boottime_ns();
	owner->since_ns = clock_monotonic_ns();
	if (!HASH_TRY_ADD(hh, owners->table, &owner->labels, sizeof(*labels), owner)) {
		free(owner);
		return NULL;
	}
	count_in(owners, owner);
	owners->outsiders += !is_of_pod(labels);
	return owner;
}

/* Causes beyond these are "other": an owner's memory does not grow with the number of owners. */
#define CAUSES_MAX 256

static bool add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns)
{
	if (owner->ledger.of[SOURCE_CAUSED].count >= CAUSES_MAX &&
	    !ledger_find(&owner->ledger, SOURCE_CAUSED, LEDGER_LABELS(cause)))
		return false;
	return ledger_add(&owner->ledger, SOURCE_CAUSED, LEDGER_LABELS(cause), &wait_ns, NULL) >= 0;
}

/* Adds a wait for a cause, or for those that stand for many. */
static const struct owner *add_caused_somehow(struct owner *owner, const struct owner *cause,
					      uint64_t wait_ns)
{
	if (!add_caused(owner, &owner_other, 0) || !add_caused(owner, &owner_gone, 0))
		return NULL;
	if (add_caused(owner, cause, wait_ns))
		return cause;
	return add_caused(owner, &owner_other, wait_ns) ? &owner_other : NULL;
}

/* All owners are in a table of this room, except for the two that stand for many. */
static void blame(const struct owner *cause)
{
	if (cause != &owner_other && cause != &owner_gone)
		((struct owner *)cause)->blamed = true;
}

/* Readers have not seen a part of the wait. Returns false without memory: nothing was added. */
static bool add_wait(struct owner *owner, const struct owner *cause, uint64_t wait_ns,
		     uint64_t unread_ns)
{
	blame(cause);
	cause = add_caused_somehow(owner, cause, wait_ns);
	if (cause)
		unread_add_caused(owner, cause, unread_ns);
	return cause;
}

bool owner_add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns)
{
	return add_wait(owner, cause, wait_ns, wait_ns);
}

/* A wait that was another cause's before. */
static void move_wait(struct owners *owners, struct owner *owner, const struct owner *cause,
		      uint64_t wait_ns, uint64_t unread_ns)
{
	if (wait_ns)
		owners->lost += !add_wait(owner, cause, wait_ns, unread_ns);
}

/* What a summed owner has counted stays in the sum. What its gauges hold does not. */
static void keep_in_sum(struct owners *owners, const struct owner *owner)
{
	owners->lost += ledger_merge(&owners->gone, &owner->ledger, LEDGER_COUNTERS, &owner_other);
}

/* Takes an owner out of the table. */
static void take_out(struct owners *owners, struct owner *owner)
{
	count_out(owners, owner);
	owners->outsiders -= !is_of_pod(&owner->labels);
	HASH_DEL(owners->table, owner);
}

static void free_ledgers(struct owner *owner)
{
	ledger_free(&owner->ledger);
	unread_free(owner);
}

static void owner_free(struct owners *owners, struct owner *owner)
{
	take_out(owners, owner);
	free_ledgers(owner);
	free(owner);
}

void owners_discard(struct owners *owners, struct owner *owner)
{
	if (owner->summed)
		keep_in_sum(owners, owner);
	if (!owner->blamed) {
		owner_free(owners, owner);
		return;
	}
	take_out(owners, owner);
	free_ledgers(owner);
	owner->removed = true;
	owner->next_removed = owners->removed;
	owners->removed = owner;
}

static bool is_removed(const struct owner *cause)
{
	return cause->removed && !cause->summed;
}

static bool is_removed_summed(const struct owner *cause)
{
	return cause->removed && cause->summed;
}

/*
 * Removes what an owner waited because of discarded ones. A part of that stays in the sums, and so
 * does what no reader has seen.
 */
static void forget_causes(struct owners *owners, struct owner *owner)
{
	uint64_t unread_ns = ledger_take_causes(&owner->unread, is_removed);
	uint64_t unread_summed_ns = ledger_take_causes(&owner->unread, is_removed_summed);
	uint64_t wait_ns = ledger_take_causes(&owner->ledger, is_removed);
	uint64_t summed_ns = ledger_take_causes(&owner->ledger, is_removed_summed);

	if (owner->read)
		wait_ns = unread_ns;
	move_wait(owners, owner, &owner_gone, wait_ns + summed_ns, unread_ns + unread_summed_ns);
}

void owners_sweep(struct owners *owners)
{
	struct owner *owner, *next;

	if (!owners->removed)
		return;
	for (owner = owners->table; owner; owner = owner->hh.next)
		forget_causes(owners, owner);
	for (owner = owners->removed; owner; owner = next) {
		next = owner->next_removed;
		free(owner);
	}
	owners->removed = NULL;
}

void owners_remove(struct owners *owners, struct owner *owner)
{
	owners_discard(owners, owner);
	owners_sweep(owners);
}

void owners_keep_counts(struct owners *owners, const struct owner *owner)
{
	if (!owners->refuge || owner == owners->refuge || owner->summed || owner->hidden)
		return;
	owners->lost +=
		owner->unread_lost + ledger_merge(&owners->refuge->ledger, owner_unread(owner),
						  LEDGER_COUNTERS, &owner_other);
}

void owners_mark_read(struct owners *owners, uint64_t now_ns)
{
	struct owner *owner;

	owners->read_ns = now_ns;
	for (owner = owners->table; owner; owner = owner->hh.next)
		if (owner_has_series(owner))
			unread_mark_read(owner);
}

void owners_free(struct owners *owners)
{
	struct owner *owner, *next;

	owners_sweep(owners);
	HASH_ITER(hh, owners->table, owner, next)
		owner_free(owners, owner);
	ledger_free(&owners->gone);
}

struct owner *owners_sum(const struct owners *owners)
{
	struct owner *sum, *owner;
	size_t left_out;

	if (!owners->sum_made_ns)
		return NULL;
	sum = calloc(1, sizeof(*sum));
	if (!sum)
		return NULL;
	memcpy(sum->labels.container, "other", sizeof("other"));
	sum->made_ns = owners->sum_made_ns;
	left_out = ledger_merge(&sum->ledger, &owners->gone, LEDGER_ALL, &owner_other);
	for (owner = owners->table; owner; owner = owner->hh.next)
		if (owner->summed)
			left_out += ledger_merge(&sum->ledger, &owner->ledger, LEDGER_ALL,
						 &owner_other);
	if (!left_out)
		return sum;
	owners_free_sum(sum);
	return NULL;
}

void owners_free_sum(struct owner *sum)
{
	if (!sum)
		return;
	ledger_free(&sum->ledger);
	free(sum);
}

/* Notes that part of what an owner has counted was another's until now. */
static void note_joined(struct owner *to, const struct owner *from)
{
	struct joined *joined = &to->joined;
	uint64_t since_ns = from->since_ns;

	if (from->joined.at_ns)
		since_ns = earlier_ns(since_ns, from->joined.since_ns);
	joined->since_ns = joined->at_ns ? earlier_ns(joined->since_ns, since_ns) : since_ns;
	joined->at_ns = clock_monotonic_ns();
}

/* Adds all that one owner counted to another one. */
static void merge(struct owners *owners, struct owner *to, const struct owner *from)
{
	to->cgroups += from->cgroups;
	times_merge(&to->times, &from->times);
	if (from->summed && !to->summed) {
		keep_in_sum(owners, from);
		owners->lost += ledger_merge(&to->ledger, &from->ledger, LEDGER_GAUGES, NULL);
		return;
	}
	owners->lost += ledger_merge(&to->ledger, &from->ledger, LEDGER_ALL, NULL);
	unread_merge(to, &from->ledger);
	note_joined(to, from);
	to->made_ns = earlier_ns(to->made_ns, from->made_ns);
	to->since_ns = earlier_ns(to->since_ns, from->since_ns);
}

/* Whether others' waits for it were shown as by_unit="other", which must not fall. */
static bool was_shown_summed(const struct owner *owner)
{
	return owner->summed && !owner->held;
}

/*
 * What readers have seen of an owner stays under the labels that it has had: it begins anew, with
 * the rest of what it has counted, and with the rest of what others waited because of it.
 */
static void begin_anew(struct owners *owners, struct owner *owner)
{
	uint64_t wait_ns, unread_ns;
	struct owner *other;

	for (other = owners->table; owner->blamed && other; other = other->hh.next) {
		unread_ns = ledger_take_cause(&other->unread, owner);
		wait_ns = ledger_take_cause(&other->ledger, owner);
		move_wait(owners, other, owner, other->read ? unread_ns : wait_ns, unread_ns);
	}
	owners->lost += unread_leave(owner);
	owner->id = ++owners->last_id;
	owner->since_ns = owners->read_ns;
	owner->made_ns = owners->read_ns + clock_suspended_ns();
	owner->joined = (struct joined){0};
}

/* What others waited because of an owner, they waited because of another one. */
static void move_blame(struct owners *owners, struct owner *from, struct owner *to)
{
	struct owner *other, *next;
	uint64_t wait_ns, unread_ns;

	HASH_ITER(hh, owners->table, other, next) {
		const struct owner *cause =
			was_shown_summed(from) && !to->summed ? &owner_gone : to;

		unread_ns = ledger_take_cause(&other->unread, from);
		wait_ns = ledger_take_cause(&other->ledger, from);
		if (!wait_ns)
			continue;
		move_wait(owners, other, cause, wait_ns, unread_ns);
		if (cause == to)
			note_joined(other, from);
	}
}

struct owner *owners_rename(struct owners *owners, struct owner *owner, const struct labels *labels)
{
	struct owner *to = owners_find(owners, labels);

	if (to == owner)
		return owner;
	if (owner->read)
		begin_anew(owners, owner);
	if (!to) {
		owner->labels = *labels; /* a container stays a container, and a unit a unit */
		hash_rekey(&owner->hh, &owner->labels, sizeof(*labels));
		return owner;
	}
	merge(owners, to, owner);
	if (owner->blamed)
		move_blame(owners, owner, to);
	owner_free(owners, owner);
	return to;
}
