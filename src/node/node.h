/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this machine is short of, or what slows it down: load, memory, file systems, heat, voltage.
 * Read from procfs and sysfs. What a machine does not have has no value. One thread calls all of
 * this.
 */
#ifndef BRAMBLE_NODE_H
#define BRAMBLE_NODE_H

#include <stddef.h>
#include <stdint.h>

/* Times and fractional numbers are in billionths: ns, of a degree, of a task. */
enum node_value {
	NODE_LOAD1,
	NODE_LOAD5,
	NODE_LOAD15,
	NODE_MEMORY_TOTAL, /* bytes, as the next three */
	NODE_MEMORY_AVAILABLE,
	NODE_SWAP_TOTAL,
	NODE_SWAP_FREE,
	NODE_FILESYSTEM_SIZE, /* in the order of enum filesystem_value; mountpoint, device, fstype
			       */
	NODE_FILESYSTEM_AVAILABLE,
	NODE_FILESYSTEM_FILES,
	NODE_FILESYSTEM_FILES_FREE,
	NODE_FILESYSTEM_READONLY,
	NODE_TEMPERATURE,   /* degrees Celsius; chip, chip_name, sensor, label */
	NODE_CPU_FREQUENCY, /* hertz, as the next two; label cpus */
	NODE_CPU_FREQUENCY_LIMIT,
	NODE_CPU_FREQUENCY_MAX,
	NODE_THROTTLED, /* 0 or 1; label reason */
	NODE_INTERRUPT, /* time; labels cpu, kind */
	NODE_PRESSURE,	/* time; labels resource, kind */
	NODE_FEATURE,	/* 1; labels feature, state */
	NODE_VALUES,
};

#define NODE_BILLIONTHS 1e9

#define NODE_LABELS_MAX 4

/* The names of a value's labels, as listed above: NODE_LABELS_MAX of them. Unused ones are NULL. */
const char *const *node_label_names(enum node_value value);

struct node_sample {
	const char *label[NODE_LABELS_MAX]; /* values, in the order said above; then NULL */
	int64_t value;
};

struct node;

/*
 * Opens what there is to read below procfs and sysfs, and looks there again every
 * few minutes. cgroupfs is the mount point of cgroup v2. The strings must outlive the
 * node, which the caller gives to node_close(). NULL: no memory.
 */
struct node *node_open(const char *procfs, const char *sysfs, const char *cgroupfs);
void node_close(struct node *node);

/* Logs what this machine cannot tell, and how to turn it on: one message, if there is anything. */
void node_report(const struct node *node);

/* Reads everything again. */
void node_read(struct node *node);

/*
 * Calls each for every sample of a value, from the last reading. No two samples have the same
 * labels, whatever names the machine has for its parts.
 */
typedef void (*node_sample_fn)(void *context, const struct node_sample *sample);
void node_visit(const struct node *node, enum node_value value, node_sample_fn each, void *context);

/* Names of the resources and kinds of pressure: "cpu", "memory", "io"; "some", "full". */
extern const char *const pressure_resources[];
extern const char *const pressure_kinds[];

#endif
