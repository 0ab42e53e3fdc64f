/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this machine says about what it may forbid, besides the errno of a system call: lockdown,
 * security modules, seccomp, limits, capabilities.
 */
#ifndef BRAMBLE_MACHINE_H
#define BRAMBLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/features.h"

/* Where to look. NULL stands for /proc and /sys. Not owned. */
struct machine_place {
	const char *procfs, *sysfs;
};

/* security/lockdown/lockdown.c; in this order */
enum lockdown {
	LOCKDOWN_UNKNOWN, /* securityfs is not mounted, as in most containers */
	LOCKDOWN_NONE,
	LOCKDOWN_INTEGRITY,
	LOCKDOWN_CONFIDENTIALITY,
};

struct machine {
	enum lockdown lockdown;
	char modules[128];   /* security modules with a policy: "selinux, bpf"; "" if unknown */
	bool seccomp_filter; /* this process has one; false if unknown */
	bool user_namespace; /* this process is in another than the first; false if unknown */
	bool btf;	     /* the kernel has it */
	unsigned long files; /* that may be open, RLIMIT_NOFILE */

	/* As in struct features. */
	const char *missing_caps[FEATURES_CAPS_MAX];
	size_t missing_cap_count;
	bool bpf_filtered, perf_filtered, reads_kernel;
};

/* features: what was tried on this machine. This reads some files and tries nothing itself. */
void machine_read(const struct machine_place *place, const struct features *features,
		  struct machine *machine);

/* Whether the kernel is locked down to confidentiality. If it does not say, what it refuses shows.
 */
bool machine_locked_down(const struct machine *machine);

#endif
