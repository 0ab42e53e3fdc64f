/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which programs are loaded on this kernel, and with whose types. */
#ifndef BRAMBLE_PROBE_LOAD_H
#define BRAMBLE_PROBE_LOAD_H

#include "probe/internal.h"

/*
 * Opens the BPF object with the right BTF, chooses its programs, sizes its maps and loads it.
 * Disables probes that are not essential and cannot be loaded. On failure it has logged the reason.
 */
int probe_load(struct probe *probe, const struct probe_options *options);

#endif
