/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/owners.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

struct owner *owners_find(struct owners *owners, const struct labels *labels)
{
	struct owner *owner;

	HASH_FIND(hh, owners->table, labels, sizeof(*labels), owner);
	return owner;
}

static bool is_container(const struct owner *owner)
{
	return !owner->labels.unit[0];
}

/* A container has series of its own, or is one of those that are summed. */
static void count_in(struct owners *owners, struct owner *owner)
{
	if (!is_container(owner))
		return;
	owner->summed = owners->max_containers && owners->containers >= owners->max_containers;
	if (owner->summed && !owners->sum_made_ns)
		owners->sum_made_ns = owner->made_ns;
	*(owner->summed ? &owners->summed : &owners->containers) += 1;
}

static void count_out(struct owners *owners, const struct owner *owner)
{
	if (is_container(owner) && !owner->hidden)
		*(owner->summed ? &owners->summed : &owners->containers) -= 1;
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

void owners_show(struct owner *owner, uint64_t now_ns)
{
	owner->held = false;
	owner->shown_ns = now_ns;
}

bool owner_has_series(const struct owner *owner)
{
	return !owner->hidden && !owner->summed && !owner->held;
}

struct owner *owners_get(struct owners *owners, const struct labels *labels)
{
	struct owner *owner = owners_find(owners, labels);

	if (owner)
		return owner;
	owner = calloc(1, sizeof(*owner));
	if (!owner)
		return NULL;
	owner->labels = *labels;
	owner->id = ++owners->last_id;
	owner->made_ns = clock_boottime_ns();
	owner->since_ns = clock_monotonic_ns();
	count_in(owners, owner);
	HASH_ADD(hh, owners->table, labels, sizeof(*labels), owner);
	return owner;
}

static struct caused *find_caused(const struct owner *owner, const struct owner *cause)
{
	size_t i;

	for (i = 0; i < owner->caused_count; i++)
		if (owner->caused[i].cause == cause)
			return &owner->caused[i];
	return NULL;
}

void owner_add_caused(struct owner *owner, struct owner *cause, uint64_t wait_ns)
{
	struct caused *caused = find_caused(owner, cause);

	if (!caused) {
		caused = realloc(owner->caused, (owner->caused_count + 1) * sizeof(*caused));
		if (!caused) {
			owner->caused_other_ns += wait_ns;
			return;
		}
		owner->caused = caused;
		caused += owner->caused_count++;
		*caused = (struct caused){.cause = cause};
	}
	caused->wait_ns += wait_ns;
}

/* Takes a cause out of an owner's list. Returns what was waited because of it. */
static uint64_t take_caused(struct owner *owner, const struct owner *cause)
{
	struct caused *caused = find_caused(owner, cause);
	uint64_t wait_ns;

	if (!caused)
		return 0;
	wait_ns = caused->wait_ns;
	*caused = owner->caused[--owner->caused_count];
	return wait_ns;
}

static uint64_t caused_sum(const struct owner *owner)
{
	uint64_t sum = owner->caused_other_ns + owner->caused_gone_ns;
	size_t i;

	for (i = 0; i < owner->caused_count; i++)
		sum += owner->caused[i].wait_ns;
	return sum;
}

/* Its counts stay in the sum that they are in; what its gauges hold does not. */
static void keep_in_sum(struct owners *owners, const struct owner *owner)
{
	struct cgroup_values files = owner->files;

	files.known &= CGROUP_KNOWN_COUNTERS;
	cgroup_values_add_growth(&owners->gone_files, &files, NULL);
	totals_merge(&owners->gone, owner->totals, TOTALS_COUNTERS);
	owners->gone_caused_ns += caused_sum(owner);
}

static void owner_free(struct owners *owners, struct owner *owner)
{
	count_out(owners, owner);
	HASH_DEL(owners->table, owner);
	totals_free(owner->totals);
	free(owner->caused);
	free(owner);
}

void owners_remove(struct owners *owners, struct owner *owner)
{
	struct owner *other, *next;
	uint64_t wait_ns;

	HASH_ITER(hh, owners->table, other, next) {
		wait_ns = take_caused(other, owner);
		if (owner->summed || other->summed)
			other->caused_gone_ns += wait_ns;
	}
	if (owner->summed)
		keep_in_sum(owners, owner);
	owner_free(owners, owner);
}

void owners_free(struct owners *owners)
{
	struct owner *owner, *next;

	HASH_ITER(hh, owners->table, owner, next)
		owner_free(owners, owner);
	totals_free(owners->gone);
	owners->gone = NULL;
}

struct owner *owners_sum(const struct owners *owners)
{
	struct owner *sum, *owner;

	if (!owners->sum_made_ns)
		return NULL;
	sum = calloc(1, sizeof(*sum));
	if (!sum)
		return NULL;
	memcpy(sum->labels.container, "other", sizeof("other"));
	sum->made_ns = owners->sum_made_ns;
	sum->caused_other_ns = owners->gone_caused_ns;
	sum->files = owners->gone_files;
	totals_merge(&sum->totals, owners->gone, TOTALS_ALL);
	for (owner = owners->table; owner; owner = owner->hh.next) {
		if (!owner->summed)
			continue;
		cgroup_values_add_growth(&sum->files, &owner->files, NULL);
		totals_merge(&sum->totals, owner->totals, TOTALS_ALL);
		sum->caused_other_ns += caused_sum(owner);
	}
	return sum;
}

void owners_free_sum(struct owner *sum)
{
	if (!sum)
		return;
	totals_free(sum->totals);
	free(sum);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Part of what an owner has counted was another's until now. */
static void note_joined(struct owner *to, const struct owner *from)
{
	struct joined *joined = &to->joined;
	uint64_t since_ns = from->since_ns;

	if (from->joined.at_ns)
		since_ns = earlier(since_ns, from->joined.since_ns);
	joined->since_ns = joined->at_ns ? earlier(joined->since_ns, since_ns) : since_ns;
	joined->at_ns = clock_monotonic_ns();
}

/* Adds all that one counted to another that has the same labels from now on. */
static void merge(struct owners *owners, struct owner *to, const struct owner *from)
{
	size_t i;

	to->cgroups += from->cgroups;
	if (from->summed && !to->summed) {
		keep_in_sum(owners, from);
		totals_merge(&to->totals, from->totals, TOTALS_GAUGES);
		return;
	}
	cgroup_values_add_growth(&to->files, &from->files, NULL);
	totals_merge(&to->totals, from->totals, TOTALS_ALL);
	note_joined(to, from);
	to->made_ns = earlier(to->made_ns, from->made_ns);
	to->since_ns = earlier(to->since_ns, from->since_ns);
	to->caused_other_ns += from->caused_other_ns;
	to->caused_gone_ns += from->caused_gone_ns;
	for (i = 0; i < from->caused_count; i++)
		owner_add_caused(to, from->caused[i].cause, from->caused[i].wait_ns);
}

/* What others waited because of it was shown as by_unit="other", which may not fall. */
static bool was_shown_summed(const struct owner *owner)
{
	return owner->summed && !owner->held;
}

struct owner *owners_rename(struct owners *owners, struct owner *owner, const struct labels *labels)
{
	struct owner *to = owners_find(owners, labels);
	struct owner *other, *next;
	uint64_t wait_ns;

	if (to == owner)
		return owner;
	if (!to) {
		HASH_DEL(owners->table, owner);
		owner->labels = *labels; /* a container stays one, a unit a unit */
		HASH_ADD(hh, owners->table, labels, sizeof(*labels), owner);
		return owner;
	}
	merge(owners, to, owner);
	HASH_ITER(hh, owners->table, other, next) {
		wait_ns = take_caused(other, owner);
		if (!wait_ns)
			continue;
		if (was_shown_summed(owner) && !to->summed) {
			other->caused_gone_ns += wait_ns;
			continue;
		}
		owner_add_caused(other, to, wait_ns);
		note_joined(other, owner);
	}
	owner_free(owners, owner);
	return to;
}

static const struct cell_labels no_labels;

struct total *owner_total(struct owner *owner, enum probe_id probe)
{
	return totals_get(&owner->totals, probe, &no_labels);
}

const struct total *owner_find_total(const struct owner *owner, enum probe_id probe)
{
	return totals_find(owner->totals, probe, &no_labels);
}

static bool counted(const struct total *total)
{
	const struct family *family;
	size_t i;

	for (family = families; family < families + FAMILIES; family++)
		for (i = 0; family_in_cells(family) && family->probe == total->probe &&
			    i < family_value_count(family);
		     i++)
			if (total_counted(total, family, i))
				return true;
	return false;
}

bool owner_counted(const struct owner *owner)
{
	const struct total *total;

	for (total = owner->totals; total; total = total->next)
		if (counted(total))
			return true;
	return owner->caused_count || owner->caused_other_ns;
}
