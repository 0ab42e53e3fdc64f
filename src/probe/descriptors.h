/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The descriptors of all probes. */
#ifndef BRAMBLE_PROBE_DESCRIPTORS_H
#define BRAMBLE_PROBE_DESCRIPTORS_H

#include "probe/descriptor.h"

extern const struct probe_descriptor *const probe_descriptors[PROBES];

/* The probes that have a flag, in the order of the help. Returns how many. */
size_t probe_flags(enum probe_id ids[PROBES]);

#endif
