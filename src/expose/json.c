/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/json.h"

#include "expose/json_text.h"
#include "metrics/emit.h"
#include "metrics/workloads.h"

static void put_labels(struct json_text *json, const struct labels *labels)
{
	if (labels->unit[0]) {
		json_text_key(json, "unit");
		json_text_string(json, labels->unit);
		if (labels->job[0]) {
			json_text_key(json, "job");
			json_text_string(json, labels->job);
		}
		return;
	}
	if (labels->pod[0]) {
		json_text_key(json, "namespace");
		json_text_string(json, labels->name_space);
		json_text_key(json, "pod");
		json_text_string(json, labels->pod);
	}
	json_text_key(json, "container");
	json_text_string(json, labels->container);
}

/* The workload of an owner's pod, where it was asked for and is known. */
static void put_workload(struct json_text *json, const struct scrape *scrape,
			 const struct owner *owner)
{
	const struct workload *workload =
		scrape->workloads ? workloads_find(scrape->workloads, owner) : NULL;

	if (!workload)
		return;
	json_text_key(json, "workload_kind");
	json_text_string(json, workload->kind);
	json_text_key(json, "workload");
	json_text_string(json, workload->name);
}

/* Each bucket that is not empty is a pair: k (the bucket ends at 2^(k/4) s) and its count. */
static void put_hist(struct json_text *json, const struct hist_total *hist, uint64_t count)
{
	int i;

	json_text_open(json, '{');
	json_text_key(json, "count");
	json_text_unsigned(json, count);
	json_text_key(json, "sum_seconds");
	json_text_billionths(json, (int64_t)hist->sum_ns);
	json_text_key(json, "buckets");
	json_text_open(json, '[');
	for (i = 0; i < HIST_BUCKETS; i++) {
		if (!hist->bucket[i])
			continue;
		json_text_open(json, '[');
		json_text_integer(json, HIST_MIN_K + i);
		json_text_unsigned(json, hist->bucket[i]);
		json_text_close(json, ']');
	}
	json_text_close(json, ']');
	json_text_close(json, '}');
}

static void put_id(struct json_text *json, uint64_t id)
{
	json_text_key(json, "id");
	json_text_unsigned(json, id);
}

static void put_number(struct json_text *json, const struct family *family, uint64_t number)
{
	if (family->seconds)
		json_text_billionths(json, (int64_t)number);
	else
		json_text_unsigned(json, number);
}

/* ---------------------------------------------------------------- owners */

/* The values of one family of an owner: the field that is being written. */
struct owner_field {
	struct json_text *json;
	const struct scrape *scrape;
	const char *name;
	bool begun, is_list;
	uint64_t other_ns; /* waits whose cause is not kept */
};

/*
 * Writes one value. With a label, the values of an account are an object by its values; with two
 * labels they are objects by the second one's values in that object.
 */
static void put_value(struct json_text *json, const struct ledger_value *value)
{
	const struct family *family = value->family;
	const struct label *label = value->labels + value->account_labels;
	size_t inner = family->inner_count;

	if (family->label && !value->index)
		json_text_open(json, '{');
	if (inner && value->index % inner == 0) {
		json_text_key(json, label[0].value);
		json_text_open(json, '{');
	}
	if (family->label && value->known)
		json_text_key(json, label[inner ? 1 : 0].value);
	if (value->hist)
		put_hist(json, value->hist, value->number);
	else if (value->known)
		put_number(json, family, value->number);
	if (inner && value->index % inner == inner - 1)
		json_text_close(json, '}');
	if (family->label && value->index == family_value_count(family) - 1)
		json_text_close(json, '}');
}

/*
 * Zeros are written: so a reader can tell what is zero from what is not known. If accounts have
 * labels, the field is a list, and each account an element of it: its labels, and "value".
 */
static void on_value(void *context, const struct ledger_value *value)
{
	struct owner_field *field = context;
	struct json_text *json = field->json;
	size_t i, last = family_value_count(value->family) - 1;

	if (!field->begun) {
		json_text_key(json, field->name);
		if (value->account_labels)
			json_text_open(json, '[');
	}
	field->begun = true;
	field->is_list = value->account_labels;
	if (field->is_list && !value->index) {
		json_text_open(json, '{');
		for (i = 0; i < value->account_labels; i++) {
			json_text_key(json, value->labels[i].name);
			json_text_string(json, value->labels[i].value);
		}
		json_text_key(json, "value");
	}
	put_value(json, value);
	if (field->is_list && value->index == last)
		json_text_close(json, '}');
}

static void put_field(struct json_text *json, const struct family *family,
		      const struct owner *owner)
{
	char name[FAMILY_FIELD_SIZE];
	struct owner_field field = {.json = json, .name = name};

	family_field(family, name);
	ledger_visit(&owner->ledger, family, on_value, &field);
	if (field.is_list)
		json_text_close(json, ']');
}

/* owner_other has no id, as it is not in the list of containers. */
static void put_cause(struct json_text *json, const struct scrape *scrape,
		      const struct owner *cause, uint64_t wait_ns)
{
	json_text_open(json, '{');
	put_labels(json, &cause->labels);
	put_workload(json, scrape, cause);
	if (cause->id)
		put_id(json, cause->id);
	json_text_key(json, "seconds");
	json_text_billionths(json, (int64_t)wait_ns);
	json_text_close(json, '}');
}

static void on_cause(void *context, const struct ledger_value *value)
{
	struct owner_field *field = context;

	if (value->cause == &owner_other)
		field->other_ns = value->number;
	else if (value->cause != &owner_gone)
		put_cause(field->json, field->scrape, value->cause, value->number);
}

static void put_causes(struct json_text *json, const struct scrape *scrape,
		       const struct owner *owner)
{
	struct owner_field field = {.json = json, .scrape = scrape};

	json_text_key(json, "cpu_wait_caused");
	json_text_open(json, '[');
	ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], on_cause, &field);
	if (field.other_ns)
		put_cause(json, scrape, &owner_other, field.other_ns);
	json_text_close(json, ']');
}

static void put_time(struct json_text *json, uint64_t monotonic_ns)
{
	json_text_billionths(json, (int64_t)monotonic_ns);
}

/* By these a reader knows whether the difference of two readings was counted between them. */
static void put_since(struct json_text *json, const struct owner *owner)
{
	put_id(json, owner->id);
	json_text_key(json, "since_seconds");
	put_time(json, owner->since_ns);
	if (!owner->joined.at_ns)
		return;
	json_text_key(json, "joined_seconds");
	json_text_open(json, '[');
	put_time(json, owner->joined.since_ns);
	put_time(json, owner->joined.at_ns);
	json_text_close(json, ']');
}

static void put_owner(struct json_text *json, const struct scrape *scrape,
		      const struct owner *owner)
{
	const struct family *family;

	json_text_open(json, '{');
	put_labels(json, &owner->labels);
	put_workload(json, scrape, owner);
	put_since(json, owner);
	for (family = families; family < families + FAMILIES; family++)
		if (family->scope == SCOPE_OWNER)
			put_field(json, family, owner);
	put_causes(json, scrape, owner);
	json_text_close(json, '}');
}

/* ---------------------------------------------------------------- the node */

struct node_field {
	struct json_text *json;
	const struct family *family;
	const char *name;
	bool begun;
};

static void on_node_sample(void *context, const struct node_sample *sample)
{
	struct node_field *field = context;
	const char *const *names = node_label_names(field->family->node);
	struct json_text *json = field->json;
	int i;

	if (!field->begun) {
		json_text_key(json, field->name);
		if (names[0])
			json_text_open(json, '[');
	}
	field->begun = true;
	if (names[0])
		json_text_open(json, '{');
	for (i = 0; i < NODE_LABELS_MAX && names[i]; i++) {
		json_text_key(json, names[i]);
		json_text_string(json, sample->label[i] ? sample->label[i] : "");
	}
	if (names[0])
		json_text_key(json, "value");
	if (field->family->seconds || field->family->real)
		json_text_billionths(json, sample->value);
	else
		json_text_integer(json, sample->value);
	if (names[0])
		json_text_close(json, '}');
}

static void put_node(struct json_text *json, const struct scrape *scrape)
{
	const struct family *family;
	char name[FAMILY_FIELD_SIZE];

	json_text_key(json, "node");
	json_text_open(json, '{');
	if (scrape->cpus) {
		json_text_key(json, "cpus");
		json_text_integer(json, scrape->cpus);
	}
	for (family = families; family < families + FAMILIES; family++) {
		struct node_field field = {.json = json, .family = family, .name = name};

		if (family->scope != SCOPE_NODE)
			continue;
		family_field(family, name);
		node_visit(scrape->node, family->node, on_node_sample, &field);
		if (field.begun && node_label_names(family->node)[0])
			json_text_close(json, ']');
	}
	json_text_close(json, '}');
}

static void put_probes(struct json_text *json, const struct scrape *scrape)
{
	int i;

	json_text_key(json, "probes");
	json_text_open(json, '{');
	for (i = 0; i < PROBES; i++) {
		json_text_key(json, probe_names[i]);
		json_text_bool(json, scrape->probe_up[i]);
	}
	json_text_close(json, '}');
}

char *json_containers(const struct scrape *scrape, uint64_t time_ns)
{
	struct json_text json = {0};
	const struct owner *owner;

	json_text_open(&json, '{');
	json_text_key(&json, "time_seconds");
	put_time(&json, time_ns);
	json_text_key(&json, "last_id");
	json_text_unsigned(&json, scrape->owners->last_id);
	if (scrape->started_ns) {
		json_text_key(&json, "started_seconds");
		put_time(&json, scrape->started_ns);
		put_probes(&json, scrape);
	}
	if (scrape->node)
		put_node(&json, scrape);
	json_text_key(&json, "containers");
	json_text_open(&json, '[');
	for (owner = scrape->owners->table; owner; owner = owner->hh.next)
		if (!owner->hidden && !ledger_is_empty(&owner->ledger))
			put_owner(&json, scrape, owner);
	json_text_close(&json, ']');
	json_text_close(&json, '}');
	return buf_take(&json.buf);
}
