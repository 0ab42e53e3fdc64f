/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Samples of what was counted for containers and units, from their ledgers. */
#include "metrics/emit.h"

/* The samples of one owner. */
struct emission {
	struct samples *out;
	struct label labels[OWNER_LABELS + ACCOUNT_LABELS_MAX + FAMILY_LABELS_MAX + CAUSE_LABELS];
	size_t owner_labels;
	uint64_t created_ns;
	uint64_t other_ns; /* waits whose causes have no series of their own */
};

static void emit_value(struct emission *emission, const struct ledger_value *value)
{
	struct label *labels = emission->labels + emission->owner_labels;
	size_t i, count = 0;

	/* No target has labels with these names, so those that do not apply are left out. */
	for (i = 0; i < value->label_count; i++)
		if (value->labels[i].value[0])
			labels[count++] = value->labels[i];
	if (value->cause)
		count += cause_labels(&value->cause->labels, labels + count);
	samples_add(emission->out, &(struct sample){.labels = emission->labels,
						    .label_count = emission->owner_labels + count,
						    .value = value->number,
						    .created_ns = emission->created_ns,
						    .hist = value->hist});
}

/* A cause that is held back has no name yet. What was waited for it is shown when it has one. */
static void on_value(void *context, const struct ledger_value *value)
{
	struct emission *emission = context;

	if (!value->counted || (value->cause && value->cause->held))
		return;
	if (value->cause && value->cause->summed)
		emission->other_ns += value->number;
	else
		emit_value(emission, value);
}

static void emit_owner(struct samples *out, const struct scrape *scrape, const struct owner *owner)
{
	struct emission emission = {.out = out};

	emission.owner_labels = owner_labels(&owner->labels, emission.labels);
	if (family_begins_with_owner(out->family))
		emission.created_ns = wall_time(scrape->wall, owner->made_ns);
	ledger_visit(&owner->ledger, out->family, on_value, &emission);
	if (emission.other_ns)
		emit_value(&emission, &(struct ledger_value){.cause = &owner_other,
							     .number = emission.other_ns});
}

void emit_owners(struct samples *out, const struct scrape *scrape)
{
	const struct owner *owner;

	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (owner_has_series(owner))
			emit_owner(out, scrape, owner);
	if (scrape->sum)
		emit_owner(out, scrape, scrape->sum);
}

void emit_findings(struct samples *out, const struct scrape *scrape)
{
	struct label labels[OWNER_LABELS + 1 + CAUSE_LABELS];
	size_t i, count;

	for (i = 0; scrape->lost && i < scrape->lost->count; i++) {
		const struct lost_share *lost = &scrape->lost->list[i];

		count = owner_labels(&lost->who, labels);
		labels[count++] = (struct label){"cause", lost->cause};
		if (lost->has_by)
			count += cause_labels(&lost->by, labels + count);
		samples_add(out, &(struct sample){.labels = labels,
						  .label_count = count,
						  .real = lost->share});
	}
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
