/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Landlock: which files this process may still open, and which ports it may connect to. See
 * Documentation/userspace-api/landlock.rst in the kernel's sources. 5.13.
 */
#ifndef BRAMBLE_SANDBOX_LANDLOCK_H
#define BRAMBLE_SANDBOX_LANDLOCK_H

#include "sandbox/needs.h"

/*
 * The version of Landlock's interface that this kernel has, from 1; or a negative errno: -ENOSYS
 * (built without it, or older than 5.13), -EOPNOTSUPP (turned off at boot), -EPERM (a seccomp
 * filter refuses the call).
 */
int landlock_version(void);

/*
 * From now on the calling thread, and those that it starts, may open only what the needs name, for
 * that alone. Descriptors that are open stay as they are. From version 4 on the thread may bind no
 * TCP port and connects to those of the needs alone; from version 6 on it sends no signals to other
 * processes, and does not connect to their abstract Unix sockets. no_new_privs must be set.
 *
 * Returns 0 or a negative errno: those of landlock_version(), for example.
 */
int landlock_confine(const struct sandbox_needs *needs);

#endif
