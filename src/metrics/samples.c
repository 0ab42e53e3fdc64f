/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/samples.h"

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
	family->emit(out, scrape);
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

size_t owner_labels(const struct labels *owner, struct label *out)
{
	out[0] = (struct label){"namespace", owner->name_space};
	out[1] = (struct label){"pod", owner->pod};
	out[2] = (struct label){"container", owner->container};
	if (!owner->unit[0])
		return 3;
	out[3] = (struct label){"unit", owner->unit};
	return 4;
}

size_t cause_labels(const struct labels *cause, struct label *out)
{
	size_t count = 0;

	if (cause->unit[0]) {
		out[count++] = (struct label){"by_unit", cause->unit};
		if (cause->job[0])
			out[count++] = (struct label){"by_job", cause->job};
		return count;
	}
	if (cause->pod[0]) {
		out[count++] = (struct label){"by_namespace", cause->name_space};
		out[count++] = (struct label){"by_pod", cause->pod};
	}
	out[count++] = (struct label){"by_container", cause->container};
	return count;
}
