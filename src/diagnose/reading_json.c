/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/reading_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/hist.h"
#include "diagnose/json_scan.h"
#include "util/array.h"

#define PATH_SIZE 64

/* A list that grows while its elements are read. */
struct list {
	void *items;
	size_t count, size;
};

struct reader {
	struct json_scan scan;
	struct reading *reading;
	/* Used again for each container. They are copied when their length is known. */
	struct list buckets, causes;
	bool no_memory;
};

/* Room for one more item of the list. NULL: no memory, which the reader remembers. */
static void *list_add(struct reader *reader, struct list *list, size_t item_size)
{
	if (list->count == list->size) {
		size_t size = list->size ? 2 * list->size : 64;
		void *items = reallocarray(list->items, size, item_size);

		if (!items) {
			reader->no_memory = true;
			return NULL;
		}
		list->items = items;
		list->size = size;
	}
	return (char *)list->items + list->count++ * item_size;
}

/* A copy of the list that lives as long as the reading. */
static void *list_keep(struct reader *reader, const struct list *list, size_t item_size)
{
	void *kept = arena_take(&reader->reading->arena, list->count * item_size);

	if (!kept)
		reader->no_memory = true;
	else if (list->count && list->items)
		memcpy(kept, list->items, list->count * item_size);
	return kept;
}

static double finite_number(struct json_scan *scan)
{
	double number = json_scan_number(scan);

	return isfinite(number) ? number : 0;
}

/* Pairs of k and a count. */
static void read_buckets(struct reader *reader)
{
	struct json_scan *scan = &reader->scan;
	struct reading_bucket *bucket;
	double k, count;

	if (!json_scan_enter(scan, JSON_KIND_ARRAY))
		return;
	while (json_scan_next_item(scan)) {
		k = count = 0;
		if (json_scan_enter(scan, JSON_KIND_ARRAY)) {
			if (json_scan_next_item(scan))
				k = finite_number(scan) - HIST_MIN_K;
			if (json_scan_next_item(scan))
				count = finite_number(scan);
			while (json_scan_next_item(scan))
				json_scan_skip(scan);
		}
		if (!(k >= 0 && k < HIST_BUCKETS && count >= 1 && count < 1e18))
			continue;
		bucket = list_add(reader, &reader->buckets, sizeof(*bucket));
		if (bucket)
			*bucket = (struct reading_bucket){(uint32_t)k, (uint64_t)count};
	}
}

/* Adds to what other devices counted. key is the first one of the histogram. */
static void read_hist(struct reader *reader, struct reading_hist *hist, const char *key)
{
	struct json_scan *scan = &reader->scan;
	size_t i;

	reader->buckets.count = 0;
	for (i = 0; i < hist->bucket_count; i++) {
		struct reading_bucket *bucket = list_add(reader, &reader->buckets, sizeof(*bucket));

		if (bucket)
			*bucket = hist->buckets[i];
	}
	for (; key; key = json_scan_next_key(scan)) {
		if (strcmp(key, "count") == 0)
			hist->count += finite_number(scan);
		else if (strcmp(key, "sum_seconds") == 0)
			hist->sum_seconds += finite_number(scan);
		else if (strcmp(key, "buckets") == 0)
			read_buckets(reader);
		else
			json_scan_skip(scan);
	}
	hist->known = true;
	hist->buckets = list_keep(reader, &reader->buckets, sizeof(struct reading_bucket));
	hist->bucket_count = hist->buckets ? reader->buckets.count : 0;
}

/* Adds the value of a label to a path. Returns false if that is too long, and so unknown. */
static bool extend_path(char to[PATH_SIZE], const char *path, const char *value)
{
	int len = snprintf(to, PATH_SIZE, "%s%s%s", path, path[0] ? "/" : "", value);

	return len < PATH_SIZE;
}

static void read_field(struct reader *reader, struct reading_entry *entry, const char *name,
		       const char *path);

/* An element of a list: its labels, and "value", which may come first. */
static void read_labelled(struct reader *reader, struct reading_entry *entry, const char *name,
			  const char *path)
{
	char longer[PATH_SIZE], shorter[PATH_SIZE], *value = NULL, *behind;
	struct json_scan *scan = &reader->scan;
	const char *key;

	snprintf(longer, sizeof(longer), "%s", path);
	if (!json_scan_enter(scan, JSON_KIND_OBJECT))
		return;
	while ((key = json_scan_next_key(scan))) {
		if (strcmp(key, "value") == 0) {
			json_scan_kind(scan); /* passes white space */
			value = scan->at;
			json_scan_skip(scan);
		} else if (json_scan_kind(scan) != JSON_KIND_STRING || signal_adds_up(key)) {
			json_scan_skip(scan);
		} else {
			memcpy(shorter, longer, sizeof(shorter));
			if (!extend_path(longer, shorter, json_scan_string(scan)))
				snprintf(longer, sizeof(longer), "?");
		}
	}
	if (!value || scan->failed)
		return;
	behind = scan->at;
	scan->at = value;
	read_field(reader, entry, name, longer);
	if (!scan->failed)
		scan->at = behind;
}

/* A histogram, or values by a label. */
static void read_object(struct reader *reader, struct reading_entry *entry, const char *name,
			const char *path)
{
	const struct signal_field *field = signal_find_field(name, path);
	struct json_scan *scan = &reader->scan;
	const char *key = json_scan_next_key(scan);
	char longer[PATH_SIZE];

	if (field && field->kind == SIGNAL_FIELD_HIST && key && strcmp(key, "count") == 0) {
		read_hist(reader, &entry->hist[field->id], key);
		return;
	}
	for (; key; key = json_scan_next_key(scan)) {
		/* This bounds the depth, too. */
		if (extend_path(longer, path, key))
			read_field(reader, entry, name, longer);
		else
			json_scan_skip(scan);
	}
}

static void read_value(struct reader *reader, struct reading_entry *entry, const char *name,
		       const char *path)
{
	const struct signal_field *field = signal_find_field(name, path);
	double value = finite_number(&reader->scan);

	if (!field || field->kind != SIGNAL_FIELD_VALUE)
		return;
	entry->value[field->id] += value;
	entry->value_known[field->id] = true;
}

static void read_field(struct reader *reader, struct reading_entry *entry, const char *name,
		       const char *path)
{
	struct json_scan *scan = &reader->scan;

	switch (json_scan_kind(scan)) {
	case JSON_KIND_NUMBER:
		read_value(reader, entry, name, path);
		break;
	case JSON_KIND_OBJECT:
		json_scan_enter(scan, JSON_KIND_OBJECT);
		read_object(reader, entry, name, path);
		break;
	case JSON_KIND_ARRAY:
		json_scan_enter(scan, JSON_KIND_ARRAY);
		while (json_scan_next_item(scan))
			read_labelled(reader, entry, name, path);
		break;
	default:
		json_scan_skip(scan);
	}
}

/* Reads the value of a key that is a label. Returns whether it is one. */
static bool read_label(struct json_scan *scan, struct reading_labels *labels, const char *key)
{
	const struct {
		const char *key;
		const char **to;
	} known[] = {
		{"namespace", &labels->name_space}, {"pod", &labels->pod},
		{"container", &labels->container},  {"unit", &labels->unit},
		{"workload", &labels->workload},    {"workload_kind", &labels->workload_kind},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(key, known[i].key) != 0)
			continue;
		*known[i].to = json_scan_string(scan);
		return true;
	}
	return false;
}

/* A whole number from 1 on; 0 if it is none. */
static uint64_t read_id(struct json_scan *scan)
{
	double id = finite_number(scan);

	return id >= 1 && id < 0x1p53 ? (uint64_t)id : 0;
}

/* A pair of numbers. */
static void read_joined(struct json_scan *scan, struct reading_entry *entry)
{
	double *const to[] = {&entry->joined_since_seconds, &entry->joined_at_seconds};
	size_t i = 0;

	if (!json_scan_enter(scan, JSON_KIND_ARRAY))
		return;
	while (json_scan_next_item(scan)) {
		if (i < ARRAY_SIZE(to))
			*to[i++] = json_scan_number(scan);
		else
			json_scan_skip(scan);
	}
}

static void read_causes(struct reader *reader, struct reading_entry *entry)
{
	struct json_scan *scan = &reader->scan;
	struct reading_cause *cause, read;
	const char *key;

	reader->causes.count = 0;
	if (!json_scan_enter(scan, JSON_KIND_ARRAY))
		return;
	while (json_scan_next_item(scan)) {
		read = (struct reading_cause){.labels = reading_no_labels};
		if (!json_scan_enter(scan, JSON_KIND_OBJECT))
			continue;
		while ((key = json_scan_next_key(scan))) {
			if (strcmp(key, "seconds") == 0)
				read.seconds = finite_number(scan);
			else if (strcmp(key, "id") == 0)
				read.id = read_id(scan);
			else if (!read_label(scan, &read.labels, key))
				json_scan_skip(scan);
		}
		cause = list_add(reader, &reader->causes, sizeof(*cause));
		if (cause)
			*cause = read;
	}
	entry->causes = list_keep(reader, &reader->causes, sizeof(*cause));
	entry->cause_count = entry->causes ? reader->causes.count : 0;
}

static void read_entry(struct reader *reader, struct reading_entry *entry)
{
	struct json_scan *scan = &reader->scan;
	const char *key;

	reading_entry_begin(entry);
	if (!json_scan_enter(scan, JSON_KIND_OBJECT))
		return;
	while ((key = json_scan_next_key(scan))) {
		if (strcmp(key, "cpu_wait_caused") == 0)
			read_causes(reader, entry);
		else if (strcmp(key, "id") == 0)
			entry->id = read_id(scan);
		else if (strcmp(key, "since_seconds") == 0)
			entry->since_seconds = json_scan_number(scan);
		else if (strcmp(key, "joined_seconds") == 0)
			read_joined(scan, entry);
		else if (!read_label(scan, &entry->labels, key))
			read_field(reader, entry, key, "");
	}
}

static bool read_entries(struct reader *reader)
{
	struct list entries = {0};
	struct reading_entry *entry;

	if (!json_scan_enter(&reader->scan, JSON_KIND_ARRAY))
		return false;
	while (json_scan_next_item(&reader->scan)) {
		entry = list_add(reader, &entries, sizeof(*entry));
		if (entry)
			read_entry(reader, entry);
		else
			json_scan_skip(&reader->scan);
	}
	reader->reading->entries = entries.items;
	reader->reading->count = entries.count;
	return true;
}

/* {"sched": true, "tcp": false} */
static void read_probes(struct reader *reader)
{
	const char *key;

	if (!json_scan_enter(&reader->scan, JSON_KIND_OBJECT))
		return;
	while ((key = json_scan_next_key(&reader->scan)))
		reading_probe(reader->reading, key, json_scan_true(&reader->scan));
}

/* A list of {"chip_name", "value", ...} */
static void read_temperatures(struct json_scan *scan, struct reading_node *node)
{
	const char *key, *chip;
	double value;

	if (!json_scan_enter(scan, JSON_KIND_ARRAY))
		return;
	while (json_scan_next_item(scan)) {
		chip = "";
		value = NAN;
		if (!json_scan_enter(scan, JSON_KIND_OBJECT))
			continue;
		while ((key = json_scan_next_key(scan))) {
			if (strcmp(key, "chip_name") == 0)
				chip = json_scan_string(scan);
			else if (strcmp(key, "value") == 0)
				value = json_scan_number(scan);
			else
				json_scan_skip(scan);
		}
		reading_node_temperature(node, chip, value);
	}
}

/* A list of {"reason", "value"} */
static void read_throttled(struct json_scan *scan, struct reading_node *node)
{
	const char *key, *reason;
	double value;

	if (!json_scan_enter(scan, JSON_KIND_ARRAY))
		return;
	while (json_scan_next_item(scan)) {
		reason = "";
		value = 0;
		if (!json_scan_enter(scan, JSON_KIND_OBJECT))
			continue;
		while ((key = json_scan_next_key(scan))) {
			if (strcmp(key, "reason") == 0)
				reason = json_scan_string(scan);
			else if (strcmp(key, "value") == 0)
				value = json_scan_number(scan);
			else
				json_scan_skip(scan);
		}
		reading_node_throttled(node, reason, value);
	}
}

static void read_node(struct json_scan *scan, struct reading_node *node)
{
	const struct {
		const char *key;
		double *to;
	} numbers[] = {
		{"load1", &node->load[0]},
		{"load5", &node->load[1]},
		{"load15", &node->load[2]},
		{"cpus", &node->cpus},
		{"memory_total_bytes", &node->memory_total},
		{"memory_available_bytes", &node->memory_available},
	};
	const size_t count = ARRAY_SIZE(numbers);
	const char *key;
	size_t i;

	if (!json_scan_enter(scan, JSON_KIND_OBJECT))
		return;
	while ((key = json_scan_next_key(scan))) {
		for (i = 0; i < count && strcmp(key, numbers[i].key) != 0; i++)
			;
		if (i < count && json_scan_kind(scan) == JSON_KIND_NUMBER)
			*numbers[i].to = json_scan_number(scan);
		else if (strcmp(key, "name") == 0)
			node->name = json_scan_string(scan);
		else if (strcmp(key, "temperature_celsius") == 0)
			read_temperatures(scan, node);
		else if (strcmp(key, "throttled") == 0)
			read_throttled(scan, node);
		else
			json_scan_skip(scan);
	}
}

int reading_parse(struct reading *reading, char *text, size_t len)
{
	struct reader reader = {.reading = reading};
	struct json_scan *scan = &reader.scan;
	bool have_time = false, have_list = false, is_object;
	const char *key;

	reading_begin(reading);
	reading->text = text;
	json_scan_begin(scan, text, len);
	is_object = json_scan_enter(scan, JSON_KIND_OBJECT);
	while (is_object && (key = json_scan_next_key(scan))) {
		if (strcmp(key, "time_seconds") == 0) {
			have_time = json_scan_kind(scan) == JSON_KIND_NUMBER;
			reading->time_seconds = finite_number(scan);
		} else if (strcmp(key, "last_id") == 0) {
			reading->last_id = read_id(scan);
		} else if (strcmp(key, "started_seconds") == 0) {
			reading->started_seconds = json_scan_number(scan);
		} else if (strcmp(key, "containers") == 0 && !have_list) {
			have_list = read_entries(&reader);
		} else if (strcmp(key, "probes") == 0) {
			read_probes(&reader);
		} else if (strcmp(key, "node") == 0) {
			read_node(scan, &reading->node);
		} else {
			json_scan_skip(scan);
		}
	}
	free(reader.buckets.items);
	free(reader.causes.items);
	if (reader.no_memory)
		return -ENOMEM;
	if (!have_time || !have_list || !json_scan_at_end(scan))
		return -EINVAL;
	return reading_end(reading);
}
