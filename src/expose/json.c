/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/json.h"

#include <jansson.h>

#include "util/clock.h"

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static json_t *labels_json(const struct labels *labels)
{
	if (labels->unit[0])
		return json_pack("{s:s}", "unit", labels->unit);
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

static json_t *owner_json(const struct owner *owner)
{
	const uint64_t *switches = &owner->totals.counter[TOTAL_SWITCHES];
	json_t *object = labels_json(&owner->labels);

	json_object_set_new(object, "cpu_wait", hist_json(&owner->totals.hist[TOTAL_CPU_WAIT]));
	json_object_set_new(object, "cpu_context_switches",
			    json_pack("{s:I, s:I}", "voluntary",
				      (json_int_t)switches[SWITCH_VOLUNTARY], "involuntary",
				      (json_int_t)switches[SWITCH_INVOLUNTARY]));
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
		if (owner_counted(owner))
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
