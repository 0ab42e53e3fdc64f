/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/reading.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct reading_labels reading_no_labels = {"", "", "", "", "", ""};

void reading_begin(struct reading *reading)
{
	*reading = (struct reading){
		.started_seconds = NAN,
		.node = {.name = "",
			 .load = {NAN, NAN, NAN},
			 .cpus = NAN,
			 .celsius = NAN,
			 .memory_total = NAN,
			 .memory_available = NAN},
	};
}

void reading_entry_begin(struct reading_entry *entry)
{
	*entry = (struct reading_entry){.labels = reading_no_labels,
					.since_seconds = NAN,
					.joined_since_seconds = NAN,
					.joined_at_seconds = NAN};
}

void reading_probe(struct reading *reading, const char *name, bool up)
{
	int i;

	for (i = 0; i < SIGNAL_PROBES; i++) {
		if (strcmp(name, signal_probe_names[i]) != 0)
			continue;
		reading->probe_known[i] = true;
		reading->probe_up[i] = up;
	}
}

void reading_node_temperature(struct reading_node *node, const char *chip, double celsius)
{
	if (strncmp(chip, "cpu", 3) == 0 && !node->celsius_is_cpus) {
		node->celsius_is_cpus = true;
		node->celsius = celsius;
	} else if (!node->celsius_is_cpus && !(celsius <= node->celsius)) {
		node->celsius = celsius;
	}
}

void reading_node_throttled(struct reading_node *node, const char *reason, double value)
{
	node->throttle_known = true;
	if (value != 0 && node->throttled_count < NODE_THROTTLES_MAX)
		node->throttled[node->throttled_count++] = reason;
}

static uint64_t hash_string(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return (hash ^ 0xff) * 0x100000001b3ULL;
}

/* FNV-1a of what tells two entries apart. */
static uint64_t hash_key(uint64_t id, const struct reading_labels *labels)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	if (id)
		return (hash ^ id) * 0x100000001b3ULL;
	hash = hash_string(hash, labels->unit);
	hash = hash_string(hash, labels->name_space);
	hash = hash_string(hash, labels->pod);
	return hash_string(hash, labels->container);
}

/* Open addressing: index + 1 of the entry, 0 for a free place. */
int reading_end(struct reading *reading)
{
	size_t i, place;

	for (reading->index_size = 16; reading->index_size < 2 * reading->count;)
		reading->index_size *= 2;
	reading->index = arena_take(&reading->arena, reading->index_size * sizeof(uint32_t));
	if (!reading->index)
		return -ENOMEM;
	for (i = 0; i < reading->count; i++) {
		place = hash_key(reading->entries[i].id, &reading->entries[i].labels);
		while (reading->index[place % reading->index_size])
			place++;
		reading->index[place % reading->index_size] = (uint32_t)i + 1;
	}
	return 0;
}

void reading_free(struct reading *reading)
{
	arena_free(&reading->arena);
	free(reading->entries);
	free(reading->text);
	*reading = (struct reading){0};
}

bool reading_labels_equal(const struct reading_labels *a, const struct reading_labels *b)
{
	return strcmp(a->pod, b->pod) == 0 && strcmp(a->container, b->container) == 0 &&
	       strcmp(a->name_space, b->name_space) == 0 && strcmp(a->unit, b->unit) == 0;
}

static bool is_it(const struct reading_entry *entry, uint64_t id,
		  const struct reading_labels *labels)
{
	return id ? entry->id == id : !entry->id && reading_labels_equal(&entry->labels, labels);
}

const struct reading_entry *reading_find(const struct reading *reading, uint64_t id,
					 const struct reading_labels *labels)
{
	size_t place = hash_key(id, labels);
	uint32_t found;

	while (reading->index_size && (found = reading->index[place % reading->index_size])) {
		if (is_it(&reading->entries[found - 1], id, labels))
			return &reading->entries[found - 1];
		place++;
	}
	return NULL;
}

bool reading_follows(const struct reading *reading, const struct reading *before)
{
	bool both_silent = isnan(reading->started_seconds) && isnan(before->started_seconds);

	return reading->time_seconds > before->time_seconds &&
	       (both_silent || reading->started_seconds == before->started_seconds);
}

bool reading_has_hist(const struct reading *reading, enum signal_hist id)
{
	enum signal_probe probe = signal_hist_probes[id];
	size_t i;

	if (reading->probe_known[probe])
		return reading->probe_up[probe];
	for (i = 0; i < reading->count; i++)
		if (reading->entries[i].hist[id].known)
			return true;
	return false;
}

bool reading_has_value(const struct reading *reading, enum signal_value id)
{
	enum signal_probe probe = signal_value_probes[id];
	size_t i;

	/* Which files there are depends on the controllers, and not on the probe of that name. */
	if (probe != SIGNAL_PROBE_FILES && reading->probe_known[probe])
		return reading->probe_up[probe];
	for (i = 0; i < reading->count; i++)
		if (reading->entries[i].value_known[id])
			return true;
	return false;
}
