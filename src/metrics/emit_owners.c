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
static void emit_total(struct samples *out, const struct owner *owner, const struct total *total)
{
	const struct family *family = out->family;
	const char *const *names = cell_label_names[total->probe];
	bool is_hist = family->kind == KIND_HISTOGRAM;
	struct label labels[TOTAL_LABELS];
	struct sample sample = {.labels = labels, .created_ns = owner->made_ns};
	size_t i, count;

	if (!is_hist && !any_counted(family, total))
		return;
	count = owner_labels(&owner->labels, false, labels);
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
			sample.value = total_counters_of(total, family)[i];
		samples_add(out, &sample);
	}
}

void emit_totals(struct samples *out, const struct scrape *scrape)
{
	const struct owner *owner;
	const struct total *total;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		for (total = owner->totals; total; total = total->next)
			if (total->probe == out->family->probe)
				emit_total(out, owner, total);
}

static void emit_cause(struct samples *out, const struct owner *victim, const struct labels *cause,
		       uint64_t wait_ns)
{
	struct label labels[2 * OWNER_LABELS];
	struct sample sample = {.labels = labels, .value = wait_ns};

	sample.label_count = owner_labels(&victim->labels, false, labels);
	sample.label_count += owner_labels(cause, true, labels + sample.label_count);
	samples_add(out, &sample);
}

/* When a pair began is not kept: these have no time of creation. */
void emit_causes(struct samples *out, const struct scrape *scrape)
{
	static const struct labels other = {.unit = "other"};
	const struct owner *owner;
	size_t i;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next) {
		for (i = 0; i < owner->caused_count; i++)
			emit_cause(out, owner, &owner->caused[i].cause->labels,
				   owner->caused[i].wait_ns);
		if (owner->caused_other_ns)
			emit_cause(out, owner, &other, owner->caused_other_ns);
	}
}
