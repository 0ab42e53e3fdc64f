/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/reading_scrape.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/workloads.h"
#include "util/array.h"
#include "util/utf8.h"

#define BILLION		 1000000000

#define PATH_SIZE	 64

/* In the place of a byte that belongs to no character, as in the API. */
#define REPLACEMENT	 "\xef\xbf\xbd"
#define REPLACEMENT_SIZE 3

struct taker {
	const struct scrape *scrape;
	struct reading *reading;
	struct reading_entry *entry;  /* that values are taken for */
	const char *fields[FAMILIES]; /* the names of signals' fields; NULL: it is no signal */
	uint64_t other_ns;	      /* that it waited, and nobody knows for whom */
	bool no_memory;
};

/* A number of billionths. The API has the same: its digits before the point, and those behind. */
static double real_number(int64_t billionths)
{
	uint64_t positive = billionths < 0 ? -(uint64_t)billionths : (uint64_t)billionths;
	uint64_t whole = positive / BILLION;
	double number = (double)whole + (double)(positive % BILLION) / BILLION;

	return billionths < 0 ? -number : number;
}

/* ---------------------------------------------------------------- strings */

static void *take(struct taker *taker, size_t size)
{
	void *taken = arena_take(&taker->reading->arena, size);

	if (!taken)
		taker->no_memory = true;
	return taken;
}

/* A copy that is UTF-8 and lives as long as the reading. */
static const char *copy(struct taker *taker, const char *text)
{
	size_t len, size = 1;
	const char *from;
	char *copied, *to;

	if (!text[0])
		return "";
	for (from = text; *from; from += len ? len : 1) {
		len = utf8_len(from);
		size += len ? len : REPLACEMENT_SIZE;
	}
	copied = to = take(taker, size);
	if (!copied)
		return "";
	for (from = text; *from; from += len ? len : 1) {
		len = utf8_len(from);
		to = mempcpy(to, len ? from : REPLACEMENT, len ? len : REPLACEMENT_SIZE);
	}
	return copied;
}

static struct reading_labels copy_labels(struct taker *taker, const struct owner *owner)
{
	const struct workloads *workloads = taker->scrape->workloads;
	const struct workload *workload = workloads ? workloads_find(workloads, owner) : NULL;
	struct reading_labels labels = reading_no_labels;

	if (owner->labels.unit[0]) {
		labels.unit = copy(taker, owner->labels.unit);
	} else {
		labels.name_space = copy(taker, owner->labels.name_space);
		labels.pod = copy(taker, owner->labels.pod);
		labels.container = copy(taker, owner->labels.container);
	}
	if (workload) {
		labels.workload_kind = copy(taker, workload->kind);
		labels.workload = copy(taker, workload->name);
	}
	return labels;
}

/* ---------------------------------------------------------------- values */

static void find_fields(struct taker *taker)
{
	char name[FAMILY_FIELD_SIZE];
	size_t i, n;

	for (i = 0; i < FAMILIES; i++) {
		if (families[i].scope != SCOPE_OWNER)
			continue;
		family_field(&families[i], name);
		for (n = 0; n < signal_field_count && !taker->fields[i]; n++)
			if (strcmp(signal_fields[n].name, name) == 0)
				taker->fields[i] = signal_fields[n].name;
	}
}

/* The values of its labels joined by slashes, but for those that add up: struct signal_field. */
static void find_path(const struct ledger_value *value, char path[PATH_SIZE])
{
	size_t i, len = 0;

	path[0] = '\0';
	for (i = 0; i < value->label_count; i++)
		if (!signal_adds_up(value->labels[i].name) && len < PATH_SIZE)
			len += (size_t)snprintf(path + len, PATH_SIZE - len, "%s%s", len ? "/" : "",
						value->labels[i].value);
}

/* Adds to what was taken of other devices or ports. */
static void take_hist(struct taker *taker, struct reading_hist *hist,
		      const struct hist_total *total)
{
	struct reading_bucket *buckets;
	size_t count = hist->bucket_count;
	uint32_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += total->bucket[i] > 0;
	buckets = take(taker, count * sizeof(*buckets));
	if (!buckets)
		return;
	if (hist->bucket_count)
		memcpy(buckets, hist->buckets, hist->bucket_count * sizeof(*buckets));
	hist->known = true;
	hist->count += (double)hist_total_count(total);
	hist->sum_seconds += real_number((int64_t)total->sum_ns);
	hist->buckets = buckets;
	for (i = 0; i < HIST_BUCKETS; i++)
		if (total->bucket[i])
			buckets[hist->bucket_count++] =
				(struct reading_bucket){i, total->bucket[i]};
}

static void take_value(void *context, const struct ledger_value *value)
{
	struct taker *taker = context;
	const struct signal_field *field;
	char path[PATH_SIZE];

	find_path(value, path);
	field = signal_find_field(taker->fields[value->family - families], path);
	if (!field || !value->known)
		return;
	if (field->kind == SIGNAL_FIELD_HIST && value->hist) {
		take_hist(taker, &taker->entry->hist[field->id], value->hist);
	} else if (field->kind == SIGNAL_FIELD_VALUE && !value->hist) {
		taker->entry->value[field->id] += value->family->seconds
							  ? real_number((int64_t)value->number)
							  : (double)value->number;
		taker->entry->value_known[field->id] = true;
	}
}

static void add_cause(struct taker *taker, const struct owner *cause, uint64_t wait_ns)
{
	taker->entry->causes[taker->entry->cause_count++] = (struct reading_cause){
		.labels = copy_labels(taker, cause),
		.id = cause->id,
		.seconds = real_number((int64_t)wait_ns),
	};
}

static void take_cause(void *context, const struct ledger_value *value)
{
	struct taker *taker = context;

	if (value->cause == &owner_other)
		taker->other_ns = value->number;
	else if (value->cause != &owner_gone)
		add_cause(taker, value->cause, value->number);
}

/* What has no owner comes last, as in the API. */
static void take_causes(struct taker *taker, const struct owner *owner)
{
	struct reading_entry *entry = taker->entry;

	taker->other_ns = 0;
	entry->causes = take(taker, owner->ledger.of[SOURCE_CAUSED].count * sizeof(*entry->causes));
	if (!entry->causes)
		return;
	ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], take_cause, taker);
	if (taker->other_ns)
		add_cause(taker, &owner_other, taker->other_ns);
}

static void take_owner(struct taker *taker, const struct owner *owner)
{
	struct reading_entry *entry = &taker->reading->entries[taker->reading->count++];
	size_t i;

	reading_entry_begin(entry);
	taker->entry = entry;
	entry->labels = copy_labels(taker, owner);
	entry->id = owner->id;
	entry->since_seconds = real_number((int64_t)owner->since_ns);
	if (owner->joined.at_ns) {
		entry->joined_since_seconds = real_number((int64_t)owner->joined.since_ns);
		entry->joined_at_seconds = real_number((int64_t)owner->joined.at_ns);
	}
	for (i = 0; i < FAMILIES; i++)
		if (taker->fields[i])
			ledger_visit(&owner->ledger, &families[i], take_value, taker);
	take_causes(taker, owner);
}

/* ---------------------------------------------------------------- the node */

static void take_real(void *context, const struct node_sample *sample)
{
	*(double *)context = real_number(sample->value);
}

static void take_whole(void *context, const struct node_sample *sample)
{
	*(double *)context = (double)sample->value;
}

static void take_temperature(void *context, const struct node_sample *sample)
{
	struct taker *taker = context;

	/* chip, chip_name, ... */
	reading_node_temperature(&taker->reading->node, sample->label[1],
				 real_number(sample->value));
}

static void take_throttled(void *context, const struct node_sample *sample)
{
	struct taker *taker = context;

	reading_node_throttled(&taker->reading->node, copy(taker, sample->label[0]),
			       (double)sample->value);
}

static void take_node(struct taker *taker, const struct node *from)
{
	struct reading_node *to = &taker->reading->node;

	if (taker->scrape->cpus)
		to->cpus = taker->scrape->cpus;
	node_visit(from, NODE_LOAD1, take_real, &to->load[0]);
	node_visit(from, NODE_LOAD5, take_real, &to->load[1]);
	node_visit(from, NODE_LOAD15, take_real, &to->load[2]);
	node_visit(from, NODE_MEMORY_TOTAL, take_whole, &to->memory_total);
	node_visit(from, NODE_MEMORY_AVAILABLE, take_whole, &to->memory_available);
	node_visit(from, NODE_TEMPERATURE, take_temperature, taker);
	node_visit(from, NODE_THROTTLED, take_throttled, taker);
}

int reading_of_scrape(struct reading *reading, const struct scrape *scrape, uint64_t time_ns)
{
	struct taker taker = {.scrape = scrape, .reading = reading};
	const struct owner *owner;
	int i;

	reading_begin(reading);
	reading->time_seconds = real_number((int64_t)time_ns);
	reading->last_id = scrape->owners->last_id;
	reading->entries = calloc(HASH_COUNT(scrape->owners->table) + 1, sizeof(*reading->entries));
	if (!reading->entries)
		return -ENOMEM;
	if (scrape->started_ns) {
		reading->started_seconds = real_number((int64_t)scrape->started_ns);
		for (i = 0; i < PROBES; i++)
			reading_probe(reading, probe_names[i], scrape->probe_up[i]);
	}
	if (scrape->node)
		take_node(&taker, scrape->node);
	find_fields(&taker);
	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (!owner->hidden && !ledger_is_empty(&owner->ledger))
			take_owner(&taker, owner);
	return taker.no_memory ? -ENOMEM : reading_end(reading);
}
