/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tasks that the kernel has sent a SIGKILL, of which the OOM killer's are counted as they exit. */
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
 * Deletes from the map those that were sent the signal over a minute before now_ns
 * (CLOCK_MONOTONIC) and that no OOM killer has chosen, and corrects running. To be called again and
 * again: something is done only if tasks seem to be running, and none was killed since the last
 * time, so that nothing changes under its hands. Returns 0 or a negative errno.
 */
int victims_tidy(struct victims *victims, uint64_t now_ns);

#endif
