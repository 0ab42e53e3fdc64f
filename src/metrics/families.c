/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/families.h"

#include <stdio.h>
#include <string.h>

#include "cgroup/files.h"
#include "metrics/emit.h"
#include "probe/descriptors.h"
#include "probe/times.h"
#include "util/array.h"

/* Where the values of a family about owners are. */
#define IN(from, at) .emit = emit_owners, .source = (from), .offset = (at)
#define IN_CELL(id, cell, field)                                                                   \
	IN(SOURCE_OF_PROBE(id), offsetof(struct cell, field)), .probe = (id)
#define IN_PRESSURE(id, which) IN(SOURCE_PRESSURE, (which) * sizeof(uint64_t)), .probe = (id)
#define IN_TIMES(id)	       IN(SOURCE_TIMES, 0), .probe = (id)
#define IN_CAUSED(id)	       IN(SOURCE_CAUSED, 0), .probe = (id)
#define IN_PORTS(field)	       IN(SOURCE_PORTS, offsetof(struct port_reading, field)), .probe = PROBE_TCP
#define IN_PEERS(field)                                                                            \
	IN(SOURCE_PEERS, offsetof(struct tcp_peer_counts, field)), .probe = PROBE_TCP
#define IN_FILES(which) IN(SOURCE_FILES, offsetof(struct cgroup_values, value[which]))

/* The values of a family's label, in the order of the reading. */
#define VALUES(...)                                                                                \
	.values = (const char *const[]){__VA_ARGS__},                                              \
	.value_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

const struct family families[FAMILIES] = {
#define FAMILY(id, ...) [FAMILY_##id] = {__VA_ARGS__},
#include "metrics/families.def"
#undef FAMILY
};

bool family_in_cells(const struct family *family)
{
	return family->source >= SOURCE_CELLS && family->source < SOURCE_OF_PROBE(PROBES);
}

const char *const *family_cell_labels(const struct family *family)
{
	return probe_descriptors[family->probe]->cells.labels;
}

bool family_begins_with_owner(const struct family *family)
{
	return family_in_cells(family) || family->source == SOURCE_PORTS;
}

const char *const *family_account_labels(const struct family *family)
{
	static const char *const none[] = {NULL};
	static const char *const port[] = {"port", NULL};
	static const char *const peer[] = {"peer_namespace", "peer_pod", "peer_ip", "peer_port",
					   NULL};

	if (family->source == SOURCE_PORTS)
		return port;
	if (family->source == SOURCE_PEERS)
		return peer;
	return family_in_cells(family) ? family_cell_labels(family) : none;
}

static size_t at_least_one(size_t count)
{
	return count ? count : 1;
}

size_t family_value_count(const struct family *family)
{
	return at_least_one(family->value_count) * at_least_one(family->inner_count);
}

size_t family_labels(const struct family *family, size_t value, struct label *out)
{
	size_t inner_count = at_least_one(family->inner_count);

	if (!family->values)
		return 0;
	out[0] = (struct label){family->label, family->values[value / inner_count]};
	if (!family->inner_values)
		return 1;
	out[1] = (struct label){family->inner_label, family->inner_values[value % inner_count]};
	return 2;
}

static bool ends_with(const char *name, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	return len > word_len && name[len - word_len - 1] == '_' &&
	       memcmp(name + len - word_len, word, word_len) == 0;
}

const char *family_unit(const struct family *family)
{
	static const char *const units[] = {"seconds", "bytes", "ratio",
					    "celsius", "hertz", "volts"};
	size_t i, len = strlen(family->name);

	if (ends_with(family->name, len, "total"))
		len -= strlen("_total");
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (ends_with(family->name, len, units[i]))
			return units[i];
	return NULL;
}

void family_field(const struct family *family, char field[FAMILY_FIELD_SIZE])
{
	static const char *const ends[] = {"_total", "_seconds"};
	const char *begin = family->scope == SCOPE_NODE ? "bramble_node_" : "bramble_";
	size_t i, len;

	snprintf(field, FAMILY_FIELD_SIZE, "%s", family->name + strlen(begin));
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		len = strlen(field);
		if (len > strlen(ends[i]) && !strcmp(field + len - strlen(ends[i]), ends[i]))
			field[len - strlen(ends[i])] = '\0';
	}
}

const char *family_kind_name(enum family_kind kind)
{
	static const char *const names[] = {
		[KIND_COUNTER] = "counter",
		[KIND_GAUGE] = "gauge",
		[KIND_HISTOGRAM] = "histogram",
		[KIND_SUMMARY] = "summary",
	};

	return names[kind];
}
