/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Programs that do next to nothing, on the very hooks that the probe has chosen on this machine.
 * What the probe costs is compared with them. One thread calls all of this.
 */
#ifndef BRAMBLE_REPORT_FLOOR_H
#define BRAMBLE_REPORT_FLOOR_H

#include <stddef.h>
#include <stdint.h>

#include "probe/options.h"

#define FLOOR_HOOKS_MAX 64
#define FLOOR_HOOK_SIZE 96

/* The hooks of a probe: names of sections as libbpf reads them. */
struct floor_hooks {
	char name[FLOOR_HOOKS_MAX][FLOOR_HOOK_SIZE];
	size_t count;
};

enum floor_program {
	FLOOR_EMPTY, /* returns */
	FLOOR_CLOCK, /* reads the clock: the least that a measurement needs */
};

struct floor;

/*
 * Finds out on which hooks the enabled probes hang here: opens a probe, and closes it. Hooks of
 * functions are left out. Returns 0 or what probe_open() returns, after the reason was logged.
 */
int floor_find_hooks(const struct probe_options *options, struct floor_hooks *hooks);

/*
 * Puts a program on each of the hooks. Returns 0, and the caller gives *out to floor_close(); or a
 * negative errno, after the reason was logged.
 */
int floor_open(const struct probe_options *options, const struct floor_hooks *hooks,
	       enum floor_program program, struct floor **out);
void floor_close(struct floor *floor);

/* The id of the cgroup that this process is in. Returns 0 or a negative errno. */
int floor_own_cgroup(uint64_t *id);

#endif
