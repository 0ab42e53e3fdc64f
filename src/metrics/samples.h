/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The way of every sample from the one who knows it to the one who writes it. A scrape walks the
 * table of families once. One function emits the samples of each family, and a writer (src/expose)
 * turns them into a format. Neither knows of the other.
 *
 * The families about owners are all emitted by one function, from the ledgers: the macros that say
 * in families.def where their values are set it. Any other family is a row with .emit, which is
 *
 *	void emit_thing(struct samples *out, const struct scrape *scrape)
 *	{
 *		const struct label labels[] = {{"state", "used"}};
 *
 *		samples_add(out, &(struct sample){.labels = labels, .label_count = 1,
 *						  .value = scrape->thing->used});
 *	}
 *
 * and, if it needs something that no scrape has yet, a pointer to it in struct scrape (scrape.h).
 * What is not known is not emitted: a family without samples is left out altogether.
 */
#ifndef BRAMBLE_SAMPLES_H
#define BRAMBLE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/scrape.h"

/* The most labels that the samples of one family have. */
#define SAMPLE_LABELS_MAX 24

/* One sample. Its family, which says what kind it is, is the one being emitted. */
struct sample {
	const struct label *labels; /* label_count of them, each name once; owned by the caller */
	size_t label_count;
	uint64_t value;	     /* counter, gauge; the sum of a summary. ns if family->seconds */
	double real;	     /* instead of value if family->real */
	uint64_t count;	     /* of a summary */
	uint64_t created_ns; /* wall_time(), when it was 0; 0: not known. Not for gauges */
	const struct hist_total *hist;
};

struct samples;

/* A writer. It is called for families that have samples alone. */
struct samples_writer {
	void (*begin)(struct samples *out); /* of out->family */
	void (*sample)(struct samples *out, const struct sample *sample);
	void (*end)(struct samples *out);
};

/* The first member of what a writer keeps. */
struct samples {
	const struct samples_writer *writer;
	const struct family *family;  /* being emitted */
	bool begun;		      /* it has a sample */
	void (*drain)(void *context); /* or NULL: may take what the writer has written */
	void *drain_context;
};

/* Emits all families to the writer; or one. */
void samples_write(struct samples *out, const struct scrape *scrape);
void samples_write_family(struct samples *out, const struct family *family,
			  const struct scrape *scrape);

/* Emits one sample of the family being emitted. */
void samples_add(struct samples *out, const struct sample *sample);

/*
 * Writes the labels of an owner: namespace, pod and container, always, and unit if it is one. What
 * does not apply is empty, which Prometheus takes for no label. But it is written: with
 * honor_labels a scraper puts its target's namespace, pod and container where a series has none of
 * its own, and a system unit would be one of the pod that exports it. Returns how many they are, at
 * most OWNER_LABELS.
 */
#define OWNER_LABELS 4
size_t owner_labels(const struct labels *owner, struct label *out);

/*
 * Writes the labels of who made an owner wait: by_namespace, by_pod and by_container of a pod's
 * container, by_container of any other, or by_unit. No target has labels of these names, so what
 * does not apply is left out. Returns how many they are, at most CAUSE_LABELS.
 */
#define CAUSE_LABELS 3
size_t cause_labels(const struct labels *cause, struct label *out);

#endif
