/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Samples of what was counted for containers and units. */
#include "metrics/emit.h"

/* Labels of a sample: its owner's, its cell's, and the family's own. */
#define TOTAL_LABELS (OWNER_LABELS + CELL_LABELS_MAX + 1)

/* Counters of one family stand together: with one that has counted, those that have not are 0. */
static bool any_counted(const struct family *family, const struct total *total)
{
	size_t i;

	for (i = 0; i < family_value_count(family); i++)
		if (total_counted(total, family, i))
			return true;
	return false;
}

/* What never counted has no series. */
static void emit_total(struct samples *out, const struct scrape *scrape, const struct owner *owner,
		       const struct total *total)
{
	const struct family *family = out->family;
	const char *const *names = cell_label_names[total->probe];
	bool is_hist = family->kind == KIND_HISTOGRAM;
	struct label labels[TOTAL_LABELS];
	struct sample sample = {.labels = labels,
				.created_ns = wall_time(scrape->wall, owner->made_ns)};
	size_t i, count;

	if (!is_hist && !any_counted(family, total))
		return;
	count = owner_labels(&owner->labels, labels);
	for (i = 0; i < CELL_LABELS_MAX && names[i]; i++)
		labels[count++] = (struct label){names[i], total->labels.value[i]};
	sample.label_count = family->label ? count + 1 : count;
	for (i = 0; i < family_value_count(family); i++) {
		if (is_hist && !total_counted(total, family, i))
			continue;
		if (family->label)
			labels[count] = (struct label){family->label, family->values[i]};
		if (is_hist)
			sample.hist = total_hist_of(total, family, i);
		else
			sample.value = total_value(total, family, i);
		samples_add(out, &sample);
	}
}

static void emit_owner(struct samples *out, const struct scrape *scrape, const struct owner *owner)
{
	const struct total *total;

	for (total = owner->totals; total; total = total->next)
		if (total->probe == out->family->probe)
			emit_total(out, scrape, owner, total);
}

void emit_totals(struct samples *out, const struct scrape *scrape)
{
	const struct owner *owner;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (owner_has_series(owner))
			emit_owner(out, scrape, owner);
	if (scrape->sum)
		emit_owner(out, scrape, scrape->sum);
}

static void emit_cause(struct samples *out, const struct owner *victim, const struct labels *cause,
		       uint64_t wait_ns)
{
	struct label labels[OWNER_LABELS + CAUSE_LABELS];
	struct sample sample = {.labels = labels, .value = wait_ns};

	sample.label_count = owner_labels(&victim->labels, labels);
	sample.label_count += cause_labels(cause, labels + sample.label_count);
	samples_add(out, &sample);
}

/*
 * Causes that have no series of their own are not kept apart. One that is held back has no
 * name yet: its part comes once it has.
 */
static void emit_victim(struct samples *out, const struct owner *victim)
{
	static const struct labels other = {.unit = "other"};
	uint64_t other_ns = victim->caused_other_ns + victim->caused_gone_ns;
	size_t i;

	for (i = 0; i < victim->caused_count; i++) {
		if (victim->caused[i].cause->held)
			continue;
		if (victim->caused[i].cause->summed)
			other_ns += victim->caused[i].wait_ns;
		else
			emit_cause(out, victim, &victim->caused[i].cause->labels,
				   victim->caused[i].wait_ns);
	}
	if (other_ns)
		emit_cause(out, victim, &other, other_ns);
}

/* When a pair began is not kept: these have no time of creation. */
void emit_causes(struct samples *out, const struct scrape *scrape)
{
	const struct owner *owner;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (owner_has_series(owner))
			emit_victim(out, owner);
	if (scrape->sum)
		emit_victim(out, scrape->sum);
}

static void emit_count(struct samples *out, const char *series, size_t count)
{
	const struct label label = {out->family->label, series};

	samples_add(out, &(struct sample){.labels = &label, .label_count = 1, .value = count});
}

void emit_containers(struct samples *out, const struct scrape *scrape)
{
	emit_count(out, "own", scrape->owners->containers);
	emit_count(out, "other", scrape->owners->summed);
}
