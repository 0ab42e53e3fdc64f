/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/emit.h"

static void emit_value(struct samples *out, const struct owner *owner, enum cgroup_value which,
		       const struct label *further, size_t further_count)
{
	struct label labels[OWNER_LABELS + 2];
	size_t count = owner_labels(&owner->labels, labels), i;

	if (!cgroup_value_known(&owner->files, which))
		return;
	for (i = 0; i < further_count; i++)
		labels[count++] = further[i];
	samples_add(out, &(struct sample){.labels = labels,
					  .label_count = count,
					  .value = owner->files.value[which]});
}

/* Counters of one family stand together: with one that has counted, those that have not are 0. */
static bool is_wanted(const struct family *family, const struct owner *owner, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (cgroup_value_known(&owner->files, family->files + (unsigned int)i) &&
		    (family->kind == KIND_GAUGE || owner->files.value[family->files + i]))
			return true;
	return false;
}

static void emit_owner(struct samples *out, const struct owner *owner)
{
	const struct family *family = out->family;
	size_t i, count = family_value_count(family);

	if (!is_wanted(family, owner, count))
		return;
	for (i = 0; i < count; i++) {
		struct label label = {family->label, family->values ? family->values[i] : NULL};

		emit_value(out, owner, family->files + (unsigned int)i, &label,
			   family->label != NULL);
	}
}

static void emit_pressure_of(struct samples *out, const struct owner *owner)
{
	int resource, kind;

	if (!is_wanted(out->family, owner, (size_t)PRESSURE_RESOURCES * PRESSURE_KINDS))
		return;
	for (resource = 0; resource < PRESSURE_RESOURCES; resource++)
		for (kind = 0; kind < PRESSURE_KINDS; kind++) {
			const struct label labels[] = {{"resource", pressure_resources[resource]},
						       {"kind", pressure_kinds[kind]}};

			emit_value(out, owner, (enum cgroup_value)PRESSURE_VALUE(resource, kind),
				   labels, 2);
		}
}

static void each_owner(struct samples *out, const struct scrape *scrape,
		       void (*emit)(struct samples *out, const struct owner *owner))
{
	const struct owner *owner;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (owner_has_series(owner))
			emit(out, owner);
	if (scrape->sum)
		emit(out, scrape->sum);
}

void emit_files(struct samples *out, const struct scrape *scrape)
{
	each_owner(out, scrape, emit_owner);
}

void emit_pressure(struct samples *out, const struct scrape *scrape)
{
	each_owner(out, scrape, emit_pressure_of);
}
