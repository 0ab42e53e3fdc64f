/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A seccomp filter that lets through the system calls of calls.def alone. */
#ifndef BRAMBLE_SANDBOX_FILTER_H
#define BRAMBLE_SANDBOX_FILTER_H

#include "sandbox/needs.h"

/*
 * If this environment variable is set, a call that the filter refuses ends the program, with exit
 * code 159 (128 and SIGSYS), after it was logged. The tests set it.
 */
#define FILTER_KILL_VARIABLE "BRAMBLE_SANDBOX_KILL"

/*
 * Installs the filter for all threads. A call that is not in the list fails with EPERM, and the
 * first one of each kind is logged. Returns 0 or a negative errno: -EINVAL if the kernel has no
 * seccomp filters (CONFIG_SECCOMP_FILTER), for example.
 */
int filter_install(const struct sandbox_needs *needs);

/* Whether the kernel has such filters: 1, 0, or a negative errno if it does not say. 4.14 */
int filter_available(void);

#endif
