/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/owners.h"

#include <stdlib.h>

struct owner *owners_find(struct owners *owners, const struct labels *labels)
{
	struct owner *owner;

	HASH_FIND(hh, owners->table, labels, sizeof(*labels), owner);
	return owner;
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

static void owner_free(struct owners *owners, struct owner *owner)
{
	HASH_DEL(owners->table, owner);
	free(owner->caused);
	free(owner);
}

void owners_remove(struct owners *owners, struct owner *owner)
{
	struct owner *other, *next;

	HASH_ITER(hh, owners->table, other, next)
	other->caused_other_ns += take_caused(other, owner);
	owner_free(owners, owner);
}

void owners_free(struct owners *owners)
{
	struct owner *owner, *next;

	HASH_ITER(hh, owners->table, owner, next)
	owner_free(owners, owner);
}

static void totals_merge(struct totals *to, const struct totals *from)
{
	size_t i, b;

	for (i = 0; i < TOTAL_HISTS; i++) {
		to->hist[i].sum_ns += from->hist[i].sum_ns;
		for (b = 0; b < HIST_BUCKETS; b++)
			to->hist[i].bucket[b] += from->hist[i].bucket[b];
	}
	for (i = 0; i < TOTAL_COUNTERS; i++)
		to->counter[i] += from->counter[i];
}

struct owner *owners_rename(struct owners *owners, struct owner *owner, const struct labels *labels)
{
	struct owner *to = owners_find(owners, labels);
	struct owner *other, *next;
	uint64_t wait_ns;
	size_t i;

	if (to == owner)
		return owner;
	if (!to) {
		HASH_DEL(owners->table, owner);
		owner->labels = *labels;
		HASH_ADD(hh, owners->table, labels, sizeof(*labels), owner);
		return owner;
	}
	totals_merge(&to->totals, &owner->totals);
	to->caused_other_ns += owner->caused_other_ns;
	to->cgroups += owner->cgroups;
	for (i = 0; i < owner->caused_count; i++)
		owner_add_caused(to, owner->caused[i].cause, owner->caused[i].wait_ns);
	HASH_ITER(hh, owners->table, other, next)
	{
		wait_ns = take_caused(other, owner);
		if (wait_ns)
			owner_add_caused(other, to, wait_ns);
	}
	owner_free(owners, owner);
	return to;
}

static void hist_add_growth(struct hist_total *total, const struct hist *now,
			    const struct hist *before)
{
	size_t i;

	total->sum_ns += now->sum_ns - before->sum_ns;
	for (i = 0; i < HIST_BUCKETS; i++)
		total->bucket[i] += (uint32_t)(now->bucket[i] - before->bucket[i]);
}

void totals_add_growth(struct totals *totals, enum probe_id probe, const void *now,
		       const void *before)
{
	const struct family *family;
	size_t i;

	for (family = families; family < families + FAMILIES; family++) {
		const void *to = (const char *)now + family->cell_offset;
		const void *from = (const char *)before + family->cell_offset;
		const uint64_t *counter_to = to, *counter_from = from;

		if (family->scope != SCOPE_OWNER || family->probe != probe)
			continue;
		if (family->kind == KIND_HISTOGRAM) {
			hist_add_growth(&totals->hist[family->total], to, from);
			continue;
		}
		for (i = 0; i < (family->value_count ? family->value_count : 1); i++)
			totals->counter[family->total + i] += counter_to[i] - counter_from[i];
	}
}

bool owner_counted(const struct owner *owner)
{
	size_t i;

	for (i = 0; i < TOTAL_COUNTERS; i++)
		if (owner->totals.counter[i])
			return true;
	for (i = 0; i < TOTAL_HISTS; i++)
		if (hist_total_count(&owner->totals.hist[i]))
			return true;
	return owner->caused_count || owner->caused_other_ns;
}

uint64_t hist_total_count(const struct hist_total *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}
