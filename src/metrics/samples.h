/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How samples get from their source to a format. A scrape walks the table of families once. One
 *function emits the samples of each family, and a writer (src/expose) turns them into a format.
 *Neither knows of the other.
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

/* A writer. It is called only for families that have samples. */
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
	bool failed;		      /* samples are missing, without memory: all is void */
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
 * Writes the labels of an owner: always namespace, pod and container; and unit if it is a unit.
 * Labels that do not apply are empty, which Prometheus treats as no label. They are still written.
 * With honor_labels, a scraper fills in the target's namespace, pod and container if a series lacks
 * them, and a system unit would then belong to the pod that exports it. Returns how many labels
 * there are, at most OWNER_LABELS.
 */
#define OWNER_LABELS 4
size_t owner_labels(const struct labels *owner, struct label *out);

/*
 * Writes the labels of a cause: by_namespace, by_pod and by_container for a pod's container,
 * by_container for any other container, or by_unit, and by_job for the kernel's threads. No target
 * has labels with these names, so labels that do not apply are left out. Returns how many labels
 * there are, at most CAUSE_LABELS.
 */
#define CAUSE_LABELS 3
size_t cause_labels(const struct labels *cause, struct label *out);

#endif
