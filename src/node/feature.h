/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this machine can report about its saturation, and how to turn on what it cannot. For bramble
 * check, one message at the start, and an alert.
 */
#ifndef BRAMBLE_NODE_FEATURE_H
#define BRAMBLE_NODE_FEATURE_H

#include <stdbool.h>

#include "cgroup/mount.h"
#include "node/boot.h"

enum node_feature {
	NODE_FEATURE_MEMORY, /* cgroup v2's memory controller */
	NODE_FEATURE_CPU,    /* its cpu controller: limits, and so throttling */
	NODE_FEATURE_PSI,
	NODE_FEATURE_TEMPERATURE,
	NODE_FEATURE_CPU_FREQUENCY,
	NODE_FEATURE_UNDER_VOLTAGE, /* the alarm of a Raspberry Pi */
	NODE_FEATURES,
};

enum node_feature_state {
	NODE_FEATURE_PRESENT,
	NODE_FEATURE_OFF,      /* it can be turned on without another kernel */
	NODE_FEATURE_MISSING,  /* this kernel or machine has none */
	NODE_FEATURE_UNSUITED, /* it makes no sense on this machine */
};

struct node_fact {
	enum node_feature_state state;
	char detail[128]; /* what was found; may be empty */
	char remedy[384]; /* how to turn it on; may be empty */
};

/* "memory_controller", "psi" and so on; "present", "off", "missing" */
extern const char *const node_feature_names[NODE_FEATURES];
/* The same for people: what bramble check calls it, and the log. */
extern const char *const node_feature_titles[NODE_FEATURES];
extern const char *const node_feature_states[];

/* Where to look. The strings are not owned. */
struct node_place {
	const char *procfs, *sysfs;
	struct cgroup2_mount cgroup2;
	int cgroup2_err; /* what cgroup2_find() returned */
	struct boot boot;
};

/*
 * Looks at mountinfo and the kernel's command line. cgroupfs may be NULL, for where
 * mountinfo says; boot_dir is "/boot".
 */
void node_place_find(struct node_place *place, const char *procfs, const char *sysfs,
		     const char *cgroupfs, const char *boot_dir);

/* Whether a controller of cgroup v2 is there: "memory", "cpu", "io". */
bool node_has_controller(const struct node_place *place, const char *controller);

void node_feature_find(const struct node_place *place, enum node_feature feature,
		       struct node_fact *fact);

/* Logs, in one message, everything that is off or missing and that a kernel could have, with the
 * remedies. */
void node_features_report(const struct node_place *place);

#endif
