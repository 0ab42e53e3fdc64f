/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/cpufreq.h"
#include "node/feature.h"
#include "node/filesystem.h"
#include "node/interrupts.h"
#include "node/load.h"
#include "node/memory.h"
#include "node/pressure.h"
#include "node/thermal.h"
#include "node/throttle.h"
#include "util/clock.h"

/* Drivers may be loaded and file systems mounted later. */
#define LOOK_AGAIN_NS (300 * NS_PER_S)

#define BILLIONTHS    1000000000
#define PER_MILLI     (BILLIONTHS / 1000)

struct node {
	const char *procfs, *sysfs, *cgroupfs;
	int root_fd; /* of the machine's first process, or -1 */
	uint64_t opened_ns;
	struct load load;
	struct memory memory;
	struct interrupts interrupts;
	struct pressure pressure;
	struct cpufreq cpufreq;
	struct thermal thermal;
	struct throttle throttle;
	struct filesystems filesystems;
	enum node_feature_state features[NODE_FEATURES];
};

const char *const pressure_resources[PRESSURE_RESOURCES] = {
	[PRESSURE_CPU] = "cpu",
	[PRESSURE_MEMORY] = "memory",
	[PRESSURE_IO] = "io",
};

const char *const pressure_kinds[PRESSURE_KINDS] = {
	[PRESSURE_SOME] = "some",
	[PRESSURE_FULL] = "full",
};

const char *const *node_label_names(enum node_value value)
{
	static const char *const filesystem[NODE_LABELS_MAX] = {"mountpoint", "device", "fstype"};
	static const char *const names[NODE_VALUES][NODE_LABELS_MAX] = {
		[NODE_TEMPERATURE] = {"chip", "chip_name", "sensor", "label"},
		[NODE_CPU_FREQUENCY] = {"cpus"},
		[NODE_CPU_FREQUENCY_LIMIT] = {"cpus"},
		[NODE_CPU_FREQUENCY_MAX] = {"cpus"},
		[NODE_THROTTLED] = {"reason"},
		[NODE_INTERRUPT] = {"cpu", "kind"},
		[NODE_PRESSURE] = {"resource", "kind"},
		[NODE_FEATURE] = {"feature", "state"},
	};

	if (value >= NODE_FILESYSTEM_SIZE && value <= NODE_FILESYSTEM_READONLY)
		return filesystem;
	return names[value];
}

static void find_features(struct node *node)
{
	struct node_place place;
	struct node_fact fact;
	int i;

	node_place_find(&place, node->procfs, node->sysfs, node->cgroupfs, "/boot");
	for (i = 0; i < NODE_FEATURES; i++) {
		node_feature_find(&place, (enum node_feature)i, &fact);
		node->features[i] = fact.state;
	}
}

static void open_all(struct node *node)
{
	load_open(&node->load, node->procfs);
	memory_open(&node->memory, node->procfs);
	interrupts_open(&node->interrupts, node->procfs);
	pressure_open(&node->pressure, node->procfs);
	cpufreq_open(&node->cpufreq, node->sysfs);
	thermal_open(&node->thermal, node->sysfs);
	throttle_open(&node->throttle, node->procfs, node->sysfs);
	filesystems_open(&node->filesystems, node->procfs, node->root_fd);
	find_features(node);
	node->opened_ns = clock_monotonic_ns();
}

static void close_all(struct node *node)
{
	load_close(&node->load);
	memory_close(&node->memory);
	interrupts_close(&node->interrupts);
	pressure_close(&node->pressure);
	cpufreq_close(&node->cpufreq);
	thermal_close(&node->thermal);
	throttle_close(&node->throttle);
	filesystems_close(&node->filesystems);
}

struct node *node_open(const char *procfs, const char *sysfs, const char *cgroupfs)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->procfs = procfs;
	node->sysfs = sysfs;
	node->cgroupfs = cgroupfs;
	node->root_fd = filesystems_open_root(procfs);
	open_all(node);
	return node;
}

void node_close(struct node *node)
{
	if (!node)
		return;
	close_all(node);
	if (node->root_fd >= 0)
		close(node->root_fd);
	free(node);
}

void node_report(const struct node *node)
{
	struct node_place place;

	node_place_find(&place, node->procfs, node->sysfs, node->cgroupfs, "/boot");
	node_features_report(&place);
}

void node_read(struct node *node)
{
	if (clock_monotonic_ns() - node->opened_ns > LOOK_AGAIN_NS) {
		close_all(node);
		open_all(node);
	}
	load_read(&node->load);
	memory_read(&node->memory);
	interrupts_read(&node->interrupts);
	pressure_read(&node->pressure);
	cpufreq_read(&node->cpufreq);
	thermal_read(&node->thermal);
	throttle_read(&node->throttle, &node->thermal, &node->cpufreq);
	filesystems_read(&node->filesystems);
}

/* Who gets the samples. */
struct visit {
	node_sample_fn each;
	void *context;
};

static void give(const struct visit *visit, int64_t value, const char *a, const char *b,
		 const char *c)
{
	struct node_sample sample = {.label = {a, b, c}, .value = value};

	visit->each(visit->context, &sample);
}

static void give_load(const struct node *node, enum node_value value, const struct visit *visit)
{
	if (node->load.known)
		give(visit, node->load.average[value - NODE_LOAD1], NULL, NULL, NULL);
}

static void give_memory(const struct node *node, enum node_value value, const struct visit *visit)
{
	int i = (int)value - NODE_MEMORY_TOTAL;

	if (node->memory.known[i])
		give(visit, (int64_t)node->memory.bytes[i], NULL, NULL, NULL);
}

static void give_filesystems(const struct node *node, enum node_value value,
			     const struct visit *visit)
{
	int which = (int)value - NODE_FILESYSTEM_SIZE;
	size_t i;

	for (i = 0; i < node->filesystems.count; i++) {
		const struct filesystem *fs = &node->filesystems.list[i];

		if (fs->known[which])
			give(visit, (int64_t)fs->value[which], fs->mountpoint, fs->device,
			     fs->type);
	}
}

static void give_temperatures(const struct node *node, const struct visit *visit)
{
	const struct thermal_sensor *sensor = node->thermal.sensors;
	const struct thermal_sensor *end = sensor + node->thermal.count;

	for (; sensor < end; sensor++) {
		struct node_sample sample = {
			.label = {sensor->chip, sensor->chip_name, sensor->sensor,
				  sensor->label[0] ? sensor->label : NULL},
			.value = sensor->millidegrees * PER_MILLI,
		};

		if (sensor->known)
			visit->each(visit->context, &sample);
	}
}

static void give_frequencies(const struct node *node, enum node_value value,
			     const struct visit *visit)
{
	size_t i;

	for (i = 0; i < node->cpufreq.count; i++) {
		const struct cpufreq_policy *policy = &node->cpufreq.policies[i];

		if (value == NODE_CPU_FREQUENCY_MAX)
			give(visit, (int64_t)policy->max, policy->cpus, NULL, NULL);
		else if (value == NODE_CPU_FREQUENCY && policy->known)
			give(visit, (int64_t)policy->hertz, policy->cpus, NULL, NULL);
		else if (value == NODE_CPU_FREQUENCY_LIMIT && policy->limit_known)
			give(visit, (int64_t)policy->limit, policy->cpus, NULL, NULL);
	}
}

static void give_throttled(const struct node *node, const struct visit *visit)
{
	int i;

	for (i = 0; i < THROTTLE_REASONS; i++)
		if (node->throttle.known[i])
			give(visit, node->throttle.active[i], throttle_reasons[i], NULL, NULL);
}

static void give_interrupts(const struct node *node, const struct visit *visit)
{
	char cpu[16];
	size_t i;

	for (i = 0; i < node->interrupts.count; i++) {
		snprintf(cpu, sizeof(cpu), "%u", node->interrupts.cpus[i].cpu);
		give(visit, (int64_t)node->interrupts.cpus[i].ns[INTERRUPT_HARD], cpu, "hardirq",
		     NULL);
		give(visit, (int64_t)node->interrupts.cpus[i].ns[INTERRUPT_SOFT], cpu, "softirq",
		     NULL);
	}
}

static void give_pressure(const struct node *node, const struct visit *visit)
{
	int i, kind;

	for (i = 0; i < PRESSURE_RESOURCES; i++)
		for (kind = 0; kind < PRESSURE_KINDS; kind++)
			if (node->pressure.known[i][kind])
				give(visit, (int64_t)node->pressure.ns[i][kind],
				     pressure_resources[i], pressure_kinds[kind], NULL);
}

static void give_features(const struct node *node, const struct visit *visit)
{
	int i;

	for (i = 0; i < NODE_FEATURES; i++)
		if (node->features[i] != NODE_FEATURE_UNSUITED)
			give(visit, 1, node_feature_names[i],
			     node_feature_states[node->features[i]], NULL);
}

void node_visit(const struct node *node, enum node_value value, node_sample_fn each, void *context)
{
	struct visit visit = {.each = each, .context = context};

	if (value <= NODE_LOAD15)
		give_load(node, value, &visit);
	else if (value <= NODE_SWAP_FREE)
		give_memory(node, value, &visit);
	else if (value <= NODE_FILESYSTEM_READONLY)
		give_filesystems(node, value, &visit);
	else if (value == NODE_TEMPERATURE)
		give_temperatures(node, &visit);
	else if (value <= NODE_CPU_FREQUENCY_MAX)
		give_frequencies(node, value, &visit);
	else if (value == NODE_THROTTLED)
		give_throttled(node, &visit);
	else if (value == NODE_INTERRUPT)
		give_interrupts(node, &visit);
	else if (value == NODE_PRESSURE)
		give_pressure(node, &visit);
	else if (value == NODE_FEATURE)
		give_features(node, &visit);
}
