/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's pressure stall information (PSI) of the whole machine. */
#ifndef BRAMBLE_NODE_PRESSURE_H
#define BRAMBLE_NODE_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/files.h"

struct pressure {
	int fd[PRESSURE_RESOURCES]; /* negative: the file is not there, as PSI is off */
	bool known[PRESSURE_RESOURCES][PRESSURE_KINDS];
	uint64_t ns[PRESSURE_RESOURCES][PRESSURE_KINDS];
};

void pressure_open(struct pressure *pressure, const char *procfs);
void pressure_read(struct pressure *pressure);
void pressure_close(struct pressure *pressure);

#endif
