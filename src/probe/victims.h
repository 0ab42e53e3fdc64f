/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tasks that the kernel has sent a SIGKILL. Victims of the OOM killer are counted when they exit.
 */
#ifndef BRAMBLE_PROBE_VICTIMS_H
#define BRAMBLE_PROBE_VICTIMS_H

#include <stdint.h>

struct victims {
	int map_fd; /* the map of such tasks, and how many it may have */
	uint32_t map_size;
	uint64_t *running;     /* those that have not exited: the BPF programs count up and down */
	const uint64_t *total; /* all of them: only counted up */
	uint64_t total_before; /* the same when it was last looked at */
	uint64_t forgotten;    /* that were in running, and not in the map */
};

/*
 * Deletes from the map those tasks that got the signal over a minute before now_ns
 * (CLOCK_MONOTONIC) and that the OOM killer has not chosen. Also corrects running. Call it
 * repeatedly. It acts only if tasks seem to be running and none was killed since the last call, so
 * that nothing changes meanwhile. Returns 0 or a negative errno.
 */
int victims_tidy(struct victims *victims, uint64_t now_ns);

#endif
