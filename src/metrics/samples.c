/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/samples.h"

#include "metrics/emit.h"

static void drain(const struct samples *out)
{
	if (out->drain)
		out->drain(out->drain_context);
}

void samples_add(struct samples *out, const struct sample *sample)
{
	if (!out->begun)
		out->writer->begin(out);
	out->begun = true;
	out->writer->sample(out, sample);
	drain(out);
}

void samples_write_family(struct samples *out, const struct family *family,
			  const struct scrape *scrape)
{
	out->family = family;
	out->begun = false;
	if (family->emit)
		family->emit(out, scrape);
	else
		emit_totals(out, scrape);
	if (!out->begun)
		return;
	out->writer->end(out);
	drain(out);
}

void samples_write(struct samples *out, const struct scrape *scrape)
{
	const struct family *family;

	for (family = families; family < families + FAMILIES; family++)
		if (!scrape->filter || !scrape->filter->dropped[family - families])
			samples_write_family(out, family, scrape);
}

size_t owner_labels(const struct labels *owner, bool by, struct label *out)
{
	if (owner->unit[0]) {
		out[0] = (struct label){by ? "by_unit" : "unit", owner->unit};
		return 1;
	}
	if (!owner->pod[0]) { /* outside of Kubernetes, or the sum of containers */
		out[0] = (struct label){by ? "by_container" : "container", owner->container};
		return 1;
	}
	out[0] = (struct label){by ? "by_namespace" : "namespace", owner->name_space};
	out[1] = (struct label){by ? "by_pod" : "pod", owner->pod};
	out[2] = (struct label){by ? "by_container" : "container", owner->container};
	return 3;
}
