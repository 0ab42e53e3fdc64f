/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The programs of the probes, once they are loaded: attached, detached, added. */
#ifndef BRAMBLE_PROBE_PROGRAMS_H
#define BRAMBLE_PROBE_PROGRAMS_H

#include "probe/internal.h"

/* Adds to the programs of the probe. Returns 0 or -E2BIG. */
int probe_add_program(struct probe *probe, enum probe_id id, struct bpf_program *program);

/*
 * Attaches all programs of a probe, or none; or those whose names begin with a prefix. Returns 0,
 * or a negative errno after it has logged the reason.
 */
int probe_attach_all(struct probe *probe, enum probe_id id);
int probe_attach_some(struct probe *probe, enum probe_id id, const char *prefix);

/* Detaches all of them: the probe is down. */
void probe_detach(struct probe *probe, enum probe_id id);

/*
 * Loads and attaches those programs of a probe that hook functions and whose names begin with a
 * prefix. They get an object of their own, *beside, which the caller destroys after they are
 * detached. Returns 0. On failure *beside is NULL, and it returns a negative errno: -EOPNOTSUPP
 * without the kernel's BTF, or libbpf's.
 */
int probe_hook_functions(struct probe *probe, enum probe_id id, const char *prefix,
			 struct bramble_bpf **beside);

#endif
