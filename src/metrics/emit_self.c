/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Samples about the probes and this program. */
#include "http/refusals.h"
#include "metrics/collector.h"
#include "metrics/emit.h"
#include "version.h"

/* What this program counts was 0 when it was started. */
static uint64_t created_ns(const struct scrape *scrape)
{
	return self_value(&scrape->self, FAMILY_PROCESS_START);
}

static void emit_probe(struct samples *out, const struct scrape *scrape, const char *probe,
		       const char *value_of_label, uint64_t value)
{
	struct label labels[2] = {{"probe", probe}, {out->family->label, value_of_label}};

	samples_add(out, &(struct sample){.labels = labels,
					  .label_count = value_of_label ? 2 : 1,
					  .value = value,
					  .created_ns = created_ns(scrape)});
}

void emit_probe_up(struct samples *out, const struct scrape *scrape)
{
	const struct probe *probe = collector_probe(scrape->collector);
	int id;

	for (id = 0; id < PROBES; id++)
		emit_probe(out, scrape, probe_names[id], NULL,
			   probe_is_up(probe, (enum probe_id)id));
}

void emit_probe_attribution(struct samples *out, const struct scrape *scrape)
{
	const struct probe *probe = collector_probe(scrape->collector);
	int id;

	for (id = 0; id < PROBES; id++)
		if (probe_is_up(probe, (enum probe_id)id))
			emit_probe(out, scrape, probe_names[id],
				   probe_attribution(probe, (enum probe_id)id), 1);
}

void emit_probe_events(struct samples *out, const struct scrape *scrape)
{
	const struct probe *probe = collector_probe(scrape->collector);
	int id;

	for (id = 0; id < PROBES; id++)
		if (probe_is_up(probe, (enum probe_id)id))
			emit_probe(out, scrape, probe_names[id], NULL,
				   probe_events(probe, (enum probe_id)id));
}

void emit_probe_lost(struct samples *out, const struct scrape *scrape)
{
	const struct collector *collector = scrape->collector;
	struct probe_lost lost[PROBE_LOST_MAX];
	size_t i, count = probe_read_lost(collector_probe(collector), lost);
	int id;

	for (i = 0; i < count; i++)
		emit_probe(out, scrape, probe_names[lost[i].probe], lost[i].reason, lost[i].count);
	for (id = 0; id < PROBES; id++)
		if (probe_is_up(collector_probe(collector), (enum probe_id)id))
			emit_probe(out, scrape, probe_names[id], "stepped_back",
				   collector_stepped_back(collector, (enum probe_id)id));
	emit_probe(out, scrape, "sched", "cause_pairs_full", collector_causes_lost(collector));
	emit_probe(out, scrape, "cgroup", "unnamed", collector_unnamed(collector));
	emit_probe(out, scrape, "cgroup", "unread", collector_registry(collector)->unread);
}

void emit_probe_cpu(struct samples *out, const struct scrape *scrape)
{
	const struct probe *probe = collector_probe(scrape->collector);
	uint64_t ns;
	int id;

	for (id = 0; id < PROBES; id++)
		if (probe_is_up(probe, (enum probe_id)id) &&
		    probe_cpu_ns(probe, (enum probe_id)id, &ns) == 0)
			emit_probe(out, scrape, probe_names[id], NULL, ns);
}

static void emit_labelled(struct samples *out, const char *value_of_label, uint64_t value)
{
	const struct label label = {out->family->label, value_of_label};

	samples_add(out, &(struct sample){.labels = &label, .label_count = 1, .value = value});
}

void emit_slots(struct samples *out, const struct scrape *scrape)
{
	/* One is the overflow's. */
	unsigned int slots = probe_slots(collector_probe(scrape->collector)) - 1;
	unsigned int used = collector_slots_used(scrape->collector);

	emit_labelled(out, "used", used);
	emit_labelled(out, "free", slots - used);
}

void emit_scrape_times(struct samples *out, const struct scrape *scrape)
{
	samples_add(out, &(struct sample){.value = scrape->times->sum_ns,
					  .count = scrape->times->count,
					  .created_ns = created_ns(scrape)});
}

void emit_web_refused(struct samples *out, const struct scrape *scrape)
{
	int reason;

	for (reason = REFUSAL_NONE + 1; scrape->refusals && reason < REFUSALS; reason++) {
		const struct label label = {out->family->label, refusal_names[reason]};

		samples_add(out, &(struct sample){.labels = &label,
						  .label_count = 1,
						  .value = scrape->refusals->count[reason]});
	}
}

void emit_build_info(struct samples *out, const struct scrape *scrape)
{
	const struct label labels[] = {{"version", bramble_version},
				       {"revision", bramble_revision}};

	(void)scrape;
	samples_add(out, &(struct sample){.labels = labels, .label_count = 2, .value = 1});
}

void emit_process(struct samples *out, const struct scrape *scrape)
{
	enum family_id id = (enum family_id)(out->family - families);

	if (self_known(&scrape->self, id))
		samples_add(out, &(struct sample){.value = self_value(&scrape->self, id),
						  .created_ns = created_ns(scrape)});
}
