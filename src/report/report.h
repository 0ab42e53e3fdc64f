/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bramble report: what an owner of a board can tell the project. What the probe costs there, and
 * whether its numbers are right. It is text to paste. It names the board, the kernel and the file
 * system, and nothing that its owner has named: no host, pod, user, address or path of theirs.
 */
#ifndef BRAMBLE_REPORT_H
#define BRAMBLE_REPORT_H

#include "check/check.h"
#include "metrics/collector.h"

/* Not even a slow board takes longer. Then what is done by then has been printed. */
#define REPORT_MAX_S 120

struct report_options {
	struct check_options check;
	/* Fills in the options of a probe. 0, or a negative errno after the reason was logged. */
	int (*collector_options)(struct collector_options *options);
	const char *dir;    /* where a file is written for fsyncs */
	const char *socket; /* of a serve that may be running */
	uint64_t cost_ns;   /* how long each of two costs is measured; three rounds at least */
};

/*
 * Prints the report to standard output. It starts processes, and ends them. One thread. Returns 0;
 * or a negative errno, after the reason was logged, if no probe can run here.
 */
int report_run(const struct report_options *options);

#endif
