/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The load averages: how many tasks run, are ready to run, or wait in the kernel. */
#ifndef BRAMBLE_NODE_LOAD_H
#define BRAMBLE_NODE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct load {
	int fd; /* negative: the file is not there */
	bool known;
	int64_t average[3]; /* of 1, 5 and 15 minutes, in billionths */
};

void load_open(struct load *load, const char *procfs);
void load_read(struct load *load);
void load_close(struct load *load);

#endif
