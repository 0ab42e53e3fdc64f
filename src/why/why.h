/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command `bramble why`: docs/why.md. */
#ifndef BRAMBLE_WHY_H
#define BRAMBLE_WHY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct why_options {
	const char *socket;
	const char *who; /* NULL: the node's worst */
	uint64_t since_ns;
	bool json;
};

/*
 * Prints what is wrong. Returns how many findings there are; or a negative errno, after the reason
 * was logged.
 */
int why_run(const struct why_options *options, FILE *out);

#endif
