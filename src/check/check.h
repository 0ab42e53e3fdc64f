/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bramble check: which of the things that the probe depends on this machine offers, what each is
 * for, and how to turn on what is missing.
 */
#ifndef BRAMBLE_CHECK_H
#define BRAMBLE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cgroup/trust.h"
#include "kernel/features.h"
#include "kube/kubelet.h"

/* The paths are not owned. NULL stands for the default beside it. */
struct check_options {
	const char *path_procfs;	       /* /proc */
	const char *path_sysfs;		       /* /sys */
	const char *path_tracefs;	       /* where it is found below sysfs */
	const char *path_cgroupfs;	       /* where mountinfo says */
	const char *path_boot;		       /* /boot; names the file to change in a remedy */
	const char *log_dir;		       /* /var/log/pods */
	const char *btf;		       /* "auto"; "none", or a file */
	struct pod_roots pod_roots;	       /* --kube.cgroup-root; its mount is not used */
	const struct kubelet_options *kubelet; /* NULL: it is not asked */
	bool json;
};

enum fact_state {
	FACT_PRESENT,
	FACT_MISSING,
	FACT_OFF,      /* it is there, and can be turned on without another kernel */
	FACT_UNKNOWN,  /* it could not be found out, mostly for lack of privileges */
	FACT_UNSUITED, /* it makes no sense on this machine: not in a report */
};

struct fact {
	const char *name, *group, *purpose; /* static */
	bool needed;			    /* the probe cannot run without it */
	enum fact_state state;
	char detail[256]; /* what was found; may be empty */
	char remedy[384]; /* what to do; empty if there is nothing */
};

/* More than there are facts: tests/unit/test_check.c. */
#define CHECK_FACTS_MAX 128

struct check_report {
	struct fact facts[CHECK_FACTS_MAX]; /* in the order they are printed, groups together */
	size_t count;
	size_t lacking; /* needed facts that are missing or off */
};

/*
 * Finds out all facts. What the kernel can do comes from features, so a test can choose it.
 * Everything else is read below the paths of the options.
 */
void check_collect(const struct check_options *options, const struct features *features,
		   struct check_report *report);

/* The name of a state: "present", "missing", "off", "unknown". */
const char *fact_state_name(enum fact_state state);

/* Prints a report for people: 80 columns, no colour, the verdict last. */
void check_print(const struct check_report *report, FILE *out);

/*
 * Prints a report as one JSON object: {"can_run": bool, "facts": [{"name",
 * "group", "state", "needed", "purpose", "detail", "remedy"}]}.
 * Returns 0 or -ENOMEM.
 */
int check_print_json(const struct check_report *report, FILE *out);

/*
 * The command: probes the kernel, collects, prints. It needs no privileges, but with fewer
 * privileges more is unknown.
 * Returns 0 if the probe can run here, 1 if not, or a negative errno.
 */
int check_run(const struct check_options *options, FILE *out);

#endif
