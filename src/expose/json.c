/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "util/clock.h"

#define FIELD_NAME_SIZE 64

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static json_t *labels_json(const struct labels *labels)
{
	if (labels->unit[0])
		return json_pack("{s:s}", "unit", labels->unit);
	if (!labels->pod[0])
		return json_pack("{s:s}", "container", labels->container);
	return json_pack("{s:s, s:s, s:s}", "namespace", labels->name_space, "pod", labels->pod,
			 "container", labels->container);
}

/* Buckets that counted, as pairs of k (the bucket ends at 2^(k/4) s) and the count. */
static json_t *hist_json(const struct hist_total *hist)
{
	json_t *buckets = json_array();
	int i;

	for (i = 0; i < HIST_BUCKETS; i++)
		if (hist->bucket[i])
			json_array_append_new(buckets, json_pack("[i, I]", HIST_MIN_K + i,
								 (json_int_t)hist->bucket[i]));
	return json_pack("{s:I, s:f, s:o}", "count", (json_int_t)hist_total_count(hist),
			 "sum_seconds", seconds(hist->sum_ns), "buckets", buckets);
}

static json_t *causes_json(const struct owner *owner)
{
	json_t *causes = json_array();
	json_t *cause;
	size_t i;

	for (i = 0; i < owner->caused_count; i++) {
		cause = labels_json(&owner->caused[i].cause->labels);
		json_object_set_new(cause, "seconds", json_real(seconds(owner->caused[i].wait_ns)));
		json_array_append_new(causes, cause);
	}
	if (owner->caused_other_ns)
		json_array_append_new(causes, json_pack("{s:s, s:f}", "unit", "other", "seconds",
							seconds(owner->caused_other_ns)));
	return causes;
}

/* "bramble_cpu_wait_seconds" is "cpu_wait" here: without the project and what the format says. */
static void field_name(const struct family *family, char name[FIELD_NAME_SIZE])
{
	static const char *const ends[] = {"_total", "_seconds"};
	size_t i, len;

	snprintf(name, FIELD_NAME_SIZE, "%s", family->name + strlen("bramble_"));
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		len = strlen(name);
		if (len > strlen(ends[i]) && !strcmp(name + len - strlen(ends[i]), ends[i]))
			name[len - strlen(ends[i])] = '\0';
	}
}

static json_t *value_json(const struct family *family, const struct total *total, size_t value)
{
	uint64_t count;

	if (family->kind == KIND_HISTOGRAM)
		return hist_json(total_hist_of(total, family, value));
	count = total_counters_of(total, family)[value];
	return family->seconds ? json_real(seconds(count)) : json_integer((json_int_t)count);
}

/* One value, or an object of them by the family's label. */
static json_t *values_json(const struct family *family, const struct total *total)
{
	json_t *object;
	size_t i;

	if (!family->label)
		return value_json(family, total, 0);
	object = json_object();
	for (i = 0; i < family_value_count(family); i++)
		json_object_set_new(object, family->values[i], value_json(family, total, i));
	return object;
}

/* An element of the list by a cell's labels: the labels, and "value". */
static json_t *labelled_json(const struct family *family, const struct total *total)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < CELL_LABELS_MAX && cell_label_names[total->probe][i]; i++)
		json_object_set_new(object, cell_label_names[total->probe][i],
				    json_string(total->labels.value[i]));
	json_object_set_new(object, "value", values_json(family, total));
	return object;
}

static json_t *family_json(const struct family *family, const struct total *totals)
{
	bool labelled = cell_label_names[family->probe][0] != NULL;
	json_t *list = labelled ? json_array() : NULL;
	const struct total *total;

	for (total = totals; total; total = total->next) {
		if (total->probe != family->probe)
			continue;
		if (!labelled)
			return values_json(family, total);
		json_array_append_new(list, labelled_json(family, total));
	}
	return list;
}

static json_t *owner_json(const struct owner *owner)
{
	json_t *object = labels_json(&owner->labels);
	const struct family *family;
	char name[FIELD_NAME_SIZE];

	for (family = families; family < families + FAMILIES; family++) {
		json_t *field;

		if (!family_in_cells(family))
			continue;
		field = family_json(family, owner->totals);
		field_name(family, name);
		if (field && json_array_size(field) + json_object_size(field) == 0 &&
		    !json_is_number(field))
			json_decref(field);
		else if (field)
			json_object_set_new(object, name, field);
	}
	json_object_set_new(object, "cpu_wait_caused", causes_json(owner));
	return object;
}

char *json_owners(const struct owners *owners, uint64_t time_ns)
{
	json_t *list = json_array();
	const struct owner *owner;
	json_t *root;
	char *text;

	for (owner = owners->table; owner; owner = owner->hh.next)
		if (owner_counted(owner) && !owner->hidden)
			json_array_append_new(list, owner_json(owner));
	root = json_pack("{s:f, s:o}", "time_seconds", seconds(time_ns), "containers", list);
	text = json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(root);
	return text;
}

char *json_containers(const struct collector *collector)
{
	return json_owners(collector_owners(collector), clock_monotonic_ns());
}
