/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which programs are loaded on this kernel, and with whose types. */
#ifndef BRAMBLE_PROBE_LOAD_H
#define BRAMBLE_PROBE_LOAD_H

#include "probe/internal.h"

/*
 * Opens the BPF object with the right BTF, chooses its programs, sizes its maps
 * and loads it. Probes that are not essential and cannot be loaded are no longer
 * enabled then. On failure the reason has been logged.
 */
int probe_load(struct probe *probe, const struct probe_options *options);

#endif
