/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The BPF programs: opened, relocated, loaded, attached. One thread calls all
 * of this. Closing the probe detaches everything; nothing is ever pinned.
 */
#ifndef BRAMBLE_PROBE_H
#define BRAMBLE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/block.h"
#include "probe/books.h"
#include "probe/cells.h"
#include "probe/cgroup.h"
#include "probe/options.h"
#include "probe/roots.h"
#include "probe/sched.h"
#include "probe/slots.h"
#include "probe/tcp_targets.h"
#include "probe/times.h"
#include "sandbox/needs.h"

struct probe;

/*
 * How many open files must be allowed: for the maps; for each program, its link and, at a classic
 * tracepoint, its perf event; and for everything else that a start opens. That is more than most
 * kernels need, because no kernel runs all programs. It is the same everywhere, so that check and
 * serve say the same. A negative errno if it cannot be found out.
 */
int probe_files_needed(void);

/*
 * Whether BPF programs can be loaded at all. Returns 0, or a negative errno after it has logged the
 * reason and the remedy. It uses only procfs and sysfs of the options.
 */
int probe_can_load(const struct probe_options *options);

/*
 * Loads and attaches the enabled programs. On success *out is owned by the
 * caller, who gives it to probe_close(). On failure the reason and the remedy
 * have been logged, and a negative errno is returned: -EPERM (privileges),
 * -ENOENT (a tracepoint or tracefs is missing), -EINVAL (the kernel cannot
 * run tracing programs), -EMFILE (RLIMIT_NOFILE is too low), or libbpf's.
 */
int probe_open(const struct probe_options *options, struct probe **out);
void probe_close(struct probe *probe);

/*
 * Attaches what could not be attached before: the hooks of a file system whose module was loaded
 * meanwhile. Cheap. Call it from time to time.
 */
void probe_look_again(struct probe *probe);

/*
 * Adds what the probe will still do. It may have to load programs later: those for the functions of
 * a file system whose module is not there yet.
 */
void probe_need(const struct probe *probe, struct sandbox_needs *needs);

bool probe_is_up(const struct probe *probe, enum probe_id id);

/* How samples find their cgroup, for bramble_probe_attribution_info. */
const char *probe_attribution(const struct probe *probe, enum probe_id id);

/*
 * The hooks that programs of an enabled probe are attached to: names as libbpf has them for
 * sections, such as "raw_tp/sched_switch". Without those of programs that every probe needs.
 * Returns how many were stored. They are valid until the probe is closed.
 */
size_t probe_hooks(const struct probe *probe, const char *hooks[], size_t max);

/* CPUs that are possible. */
unsigned int probe_cpus(const struct probe *probe);

/*
 * Call this before the cells are read. It counts what user space counts itself, such as open
 * connections. Returns 0, or -ENOMEM: then the last count stays.
 */
int probe_update(struct probe *probe);

/*
 * Makes room in the kernel for new entries. Cheap if there is room. Call it from time to time.
 * Returns 0 or a negative errno.
 */
int probe_tidy(struct probe *probe);

#endif
