/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The capabilities of this process: capabilities(7). */
#ifndef BRAMBLE_SANDBOX_CAPS_H
#define BRAMBLE_SANDBOX_CAPS_H

#include <stdint.h>

#include "sandbox/needs.h"

/*
 * Gives up all capabilities of the calling thread, in all of its sets, but those that the needs
 * cannot do without. Which those are is tried:
 * - CAP_BPF (or CAP_SYS_ADMIN, if that is what there is) if the kernel refuses a bpf(2) call on an
 *   open map: kernels before 5.19 with kernel.unprivileged_bpf_disabled (c8644cd0efe7);
 * - CAP_DAC_READ_SEARCH if a path can be read with it and not without;
 * - CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN to load programs later, if that may be necessary.
 *
 * Threads that exist keep theirs. Returns 0 or a negative errno.
 */
int caps_drop(const struct sandbox_needs *needs);

/*
 * Which capabilities would stay after caps_drop() for what it does with its maps. A child tries
 * that on a map that is made for it. Returns 0 and *left, a bit each; or a negative errno: of
 * making the map, mostly -EPERM. Files that only a capability can read may need one more.
 */
int caps_try(uint64_t *left);

/* The effective capabilities of the calling thread, a bit each; 0 if they cannot be read. */
uint64_t caps_effective(void);

#endif
