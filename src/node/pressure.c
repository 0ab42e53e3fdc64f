/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/pressure.h"

#include <string.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "util/clock.h"
#include "util/livefile.h"

#define STEP_BACK_NS NS_PER_S

static const char *const names[PRESSURE_RESOURCES] = {
	[PRESSURE_CPU] = "pressure/cpu",
	[PRESSURE_MEMORY] = "pressure/memory",
	[PRESSURE_IO] = "pressure/io",
};

void pressure_open(struct pressure *pressure, const char *procfs)
{
	int i;

	*pressure = (struct pressure){0};
	for (i = 0; i < PRESSURE_RESOURCES; i++)
		pressure->fd[i] = live_open(procfs, names[i]);
}

void pressure_read(struct pressure *pressure)
{
	char text[256];
	uint64_t ns;
	int i, kind;

	memset(pressure->known, 0, sizeof(pressure->known));
	for (i = 0; i < PRESSURE_RESOURCES; i++) {
		if (pressure->fd[i] < 0 || live_read(pressure->fd[i], text, sizeof(text)) <= 0)
			continue;
		for (kind = 0; kind < PRESSURE_KINDS; kind++) {
			if (!pressure_total(text, (enum pressure_kind)kind, &ns))
				continue;
			pressure->known[i][kind] = true;
			pressure->ns[i][kind] = not_lower(ns, pressure->ns[i][kind], STEP_BACK_NS);
		}
	}
	/* For the whole machine the kernel does not compute this for the CPU. It writes 0
	 * since 5.13. */
	pressure->known[PRESSURE_CPU][PRESSURE_FULL] = false;
}

void pressure_close(struct pressure *pressure)
{
	int i;

	for (i = 0; i < PRESSURE_RESOURCES; i++)
		if (pressure->fd[i] >= 0)
			close(pressure->fd[i]);
}
