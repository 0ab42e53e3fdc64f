/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/json.h"

#include <stdio.h>
#include <string.h>

#include "expose/json_text.h"
#include "metrics/emit.h"
#include "metrics/workloads.h"
#include "util/array.h"
#include "util/clock.h"

#define FIELD_NAME_SIZE 64

static void put_labels(struct json_text *json, const struct labels *labels)
{
	if (labels->unit[0]) {
		json_text_key(json, "unit");
		json_text_string(json, labels->unit);
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

/* Buckets that counted, as pairs of k (the bucket ends at 2^(k/4) s) and the count. */
static void put_hist(struct json_text *json, const struct hist_total *hist)
{
	int i;

	json_text_open(json, '{');
	json_text_key(json, "count");
	json_text_unsigned(json, hist_total_count(hist));
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

static void put_caused_seconds(struct json_text *json, uint64_t wait_ns)
{
	json_text_key(json, "seconds");
	json_text_billionths(json, (int64_t)wait_ns);
	json_text_close(json, '}');
}

static void put_cause(struct json_text *json, const struct scrape *scrape,
		      const struct caused *caused)
{
	json_text_open(json, '{');
	put_labels(json, &caused->cause->labels);
	put_workload(json, scrape, caused->cause);
	put_id(json, caused->cause->id);
	put_caused_seconds(json, caused->wait_ns);
}

static void put_causes(struct json_text *json, const struct scrape *scrape,
		       const struct owner *owner)
{
	static const struct labels other = {.unit = "other"};
	size_t i;

	json_text_key(json, "cpu_wait_caused");
	json_text_open(json, '[');
	for (i = 0; i < owner->caused_count; i++)
		put_cause(json, scrape, &owner->caused[i]);
	if (owner->caused_other_ns) {
		json_text_open(json, '{');
		put_labels(json, &other);
		put_caused_seconds(json, owner->caused_other_ns);
	}
	json_text_close(json, ']');
}

/*
 * "bramble_cpu_wait_seconds" is "cpu_wait" here: without the project, or what else it
 * begins with, and without what the format says.
 */
static void field_name(const struct family *family, const char *begin, char name[FIELD_NAME_SIZE])
{
	static const char *const ends[] = {"_total", "_seconds"};
	size_t i, len;

	snprintf(name, FIELD_NAME_SIZE, "%s", family->name + strlen(begin));
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		len = strlen(name);
		if (len > strlen(ends[i]) && !strcmp(name + len - strlen(ends[i]), ends[i]))
			name[len - strlen(ends[i])] = '\0';
	}
}

static void put_number(struct json_text *json, const struct family *family, uint64_t number)
{
	if (family->seconds)
		json_text_billionths(json, (int64_t)number);
	else
		json_text_unsigned(json, number);
}

/* ---------------------------------------------------------------- what probes counted */

static void put_value(struct json_text *json, const struct family *family,
		      const struct total *total, size_t value)
{
	if (family->kind == KIND_HISTOGRAM)
		put_hist(json, total_hist_of(total, family, value));
	else
		put_number(json, family, total_value(total, family, value));
}

/* One value, or an object of them by the family's label. */
static void put_values(struct json_text *json, const struct family *family,
		       const struct total *total)
{
	size_t i;

	if (!family->label) {
		put_value(json, family, total, 0);
		return;
	}
	json_text_open(json, '{');
	for (i = 0; i < family_value_count(family); i++) {
		json_text_key(json, family->values[i]);
		put_value(json, family, total, i);
	}
	json_text_close(json, '}');
}

/* An element of the list by a cell's labels: the labels, and "value". */
static void put_labelled(struct json_text *json, const struct family *family,
			 const struct total *total)
{
	size_t i;

	json_text_open(json, '{');
	for (i = 0; i < CELL_LABELS_MAX && cell_label_names[total->probe][i]; i++) {
		json_text_key(json, cell_label_names[total->probe][i]);
		json_text_string(json, total->labels.value[i]);
	}
	json_text_key(json, "value");
	put_values(json, family, total);
	json_text_close(json, '}');
}

static void put_totals(struct json_text *json, const struct family *family, const char *name,
		       const struct total *totals)
{
	bool labelled = cell_label_names[family->probe][0] != NULL, begun = false;
	const struct total *total;

	for (total = totals; total; total = total->next) {
		if (total->probe != family->probe)
			continue;
		if (!begun) {
			json_text_key(json, name);
			if (labelled)
				json_text_open(json, '[');
		}
		begun = true;
		if (!labelled) {
			put_values(json, family, total);
			return;
		}
		put_labelled(json, family, total);
	}
	if (begun)
		json_text_close(json, ']');
}

/* ---------------------------------------------------------------- what the kernel counted */

static bool any_known(const struct cgroup_values *values, enum cgroup_value first, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (cgroup_value_known(values, first + (unsigned int)i))
			return true;
	return false;
}

/* By resource, and then by kind. */
static void put_pressure(struct json_text *json, const struct family *family, const char *name,
			 const struct cgroup_values *values)
{
	int resource, kind;

	if (!any_known(values, CGROUP_PRESSURE, (size_t)PRESSURE_RESOURCES * PRESSURE_KINDS))
		return;
	json_text_key(json, name);
	json_text_open(json, '{');
	for (resource = 0; resource < PRESSURE_RESOURCES; resource++) {
		json_text_key(json, pressure_resources[resource]);
		json_text_open(json, '{');
		for (kind = 0; kind < PRESSURE_KINDS; kind++) {
			enum cgroup_value which = (enum cgroup_value)PRESSURE_VALUE(resource, kind);

			if (!cgroup_value_known(values, which))
				continue;
			json_text_key(json, pressure_kinds[kind]);
			put_number(json, family, values->value[which]);
		}
		json_text_close(json, '}');
	}
	json_text_close(json, '}');
}

/* Zeros, too: with them a reader can tell what is zero from what the kernel does not tell. */
static void put_files(struct json_text *json, const struct family *family, const char *name,
		      const struct cgroup_values *values)
{
	size_t i, count = family_value_count(family);

	if (!any_known(values, family->files, count))
		return;
	json_text_key(json, name);
	if (!family->label) {
		put_number(json, family, values->value[family->files]);
		return;
	}
	json_text_open(json, '{');
	for (i = 0; i < count; i++) {
		if (!cgroup_value_known(values, family->files + (unsigned int)i))
			continue;
		json_text_key(json, family->values[i]);
		put_number(json, family, values->value[family->files + i]);
	}
	json_text_close(json, '}');
}

static void put_time(struct json_text *json, uint64_t monotonic_ns)
{
	json_text_billionths(json, (int64_t)monotonic_ns);
}

/* What tells a reader of two readings whether their difference is what was counted in between. */
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
	char name[FIELD_NAME_SIZE];

	json_text_open(json, '{');
	put_labels(json, &owner->labels);
	put_workload(json, scrape, owner);
	put_since(json, owner);
	for (family = families; family < families + FAMILIES; family++) {
		if (family->scope != SCOPE_OWNER)
			continue;
		field_name(family, "bramble_", name);
		if (family_in_cells(family))
			put_totals(json, family, name, owner->totals);
		else if (family == &families[FAMILY_PRESSURE])
			put_pressure(json, family, name, &owner->files);
		else if (family->emit == emit_files)
			put_files(json, family, name, &owner->files);
	}
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
	char name[FIELD_NAME_SIZE];

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
		field_name(family, "bramble_node_", name);
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
		if (!owner->hidden && (owner_counted(owner) || owner->files.known))
			put_owner(&json, scrape, owner);
	json_text_close(&json, ']');
	json_text_close(&json, '}');
	return buf_take(&json.buf);
}
