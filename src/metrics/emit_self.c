/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Samples about the probes and this program. */
#include "http/refusals.h"
#include "metrics/emit.h"
#include "sandbox/sandbox.h"
#include "version.h"

/* The counts of this program itself were 0 when it was started. */
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
	int id;

	for (id = 0; id < PROBES; id++)
		emit_probe(out, scrape, probe_names[id], NULL, scrape->probe_up[id]);
}

void emit_probe_attribution(struct samples *out, const struct scrape *scrape)
{
	int id;

	for (id = 0; scrape->books && id < PROBES; id++)
		if (scrape->probe_up[id])
			emit_probe(out, scrape, probe_names[id],
				   scrape->books->probe[id].attribution, 1);
}

void emit_probe_events(struct samples *out, const struct scrape *scrape)
{
	int id;

	for (id = 0; scrape->books && id < PROBES; id++)
		if (scrape->probe_up[id])
			emit_probe(out, scrape, probe_names[id], NULL,
				   scrape->books->probe[id].events);
}

void emit_probe_lost(struct samples *out, const struct scrape *scrape)
{
	const struct books *books = scrape->books;
	size_t i;

	for (i = 0; books && i < books->lost_count; i++)
		emit_probe(out, scrape, probe_names[books->lost[i].probe], books->lost[i].reason,
			   books->lost[i].count);
}

void emit_probe_cpu(struct samples *out, const struct scrape *scrape)
{
	int id;

	for (id = 0; scrape->books && id < PROBES; id++)
		if (scrape->probe_up[id] && scrape->books->probe[id].cpu_known)
			emit_probe(out, scrape, probe_names[id], NULL,
				   scrape->books->probe[id].cpu_ns);
}

static void emit_labelled(struct samples *out, const char *value_of_label, uint64_t value)
{
	const struct label label = {out->family->label, value_of_label};

	samples_add(out, &(struct sample){.labels = &label, .label_count = 1, .value = value});
}

void emit_slots(struct samples *out, const struct scrape *scrape)
{
	if (!scrape->books)
		return;
	emit_labelled(out, "used", scrape->books->slots_used);
	emit_labelled(out, "free", scrape->books->slots_free);
}

void emit_sandbox(struct samples *out, const struct scrape *scrape)
{
	int layer;

	for (layer = 0; scrape->sandbox && layer < SANDBOX_LAYERS; layer++)
		emit_labelled(out, sandbox_layer_names[layer], scrape->sandbox->layer[layer]);
}

void emit_capabilities(struct samples *out, const struct scrape *scrape)
{
	int capability;

	for (capability = 0; scrape->sandbox && capability < CAPABILITIES_MAX; capability++)
		if (scrape->sandbox->capabilities >> capability & 1 &&
		    sandbox_capability_name(capability))
			emit_labelled(out, sandbox_capability_name(capability), 1);
}

void emit_scrape_times(struct samples *out, const struct scrape *scrape)
{
	if (scrape->times)
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
