/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_PROBE_OPTIONS_H
#define BRAMBLE_PROBE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "probe/probes.h"

/* The kernel's types take megabytes; a kernel with all its debugging information, hundreds. */
#define BTF_FILE_MAX ((size_t)1 << 30)

/* Which tracepoints the sched programs hang on. */
enum sched_hooks {
	SCHED_HOOKS_AUTO,    /* raw where prev_state is passed (5.18), else classic */
	SCHED_HOOKS_RAW,     /* keyed by task pointer */
	SCHED_HOOKS_CLASSIC, /* keyed by thread id */
};

struct probe_options {
	unsigned int slots;  /* cgroup slots, 2 to SLOTS_MAX, with the overflow slot */
	const char *btf;     /* "auto", "none" (from tracefs alone), or a file */
	const char *tracefs; /* where tracefs is mounted; must outlive the probe */
	const char *procfs;  /* these, too: where they are, or NULL for /proc and /sys */
	const char *sysfs;
	bool enabled[PROBES]; /* probes without a flag are on in any case */
	enum sched_hooks hooks;
	bool blind; /* programs see no ancestors, as on old kernels without BTF: for tests */
};

#endif
