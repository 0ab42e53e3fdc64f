/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/emit.h"

static void on_sample(void *context, const struct node_sample *from)
{
	struct samples *out = context;
	const char *const *names = node_label_names(out->family->node);
	struct label labels[NODE_LABELS_MAX];
	struct sample sample = {.labels = labels};
	size_t i;

	for (i = 0; i < NODE_LABELS_MAX && from->label[i]; i++)
		labels[i] = (struct label){names[i], from->label[i]};
	sample.label_count = i;
	if (out->family->real)
		sample.real = (double)from->value / NODE_BILLIONTHS;
	else
		sample.value = (uint64_t)from->value;
	samples_add(out, &sample);
}

void emit_node(struct samples *out, const struct scrape *scrape)
{
	node_visit(scrape->node, out->family->node, on_sample, out);
}
