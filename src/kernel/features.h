/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What this kernel can do, found out by trying it. Each trial names the version and the commit that
 * it depends on.
 *
 * A trial answers 1 (yes), 0 (no) or a negative errno if the kernel does not say: mostly -EPERM,
 * for lack of capabilities. It loads at most one program of a few instructions, and closes what it
 * opened. Meanwhile it keeps libbpf from printing. So no other thread may use libbpf at the same
 * time.
 */
#ifndef BRAMBLE_FEATURES_H
#define BRAMBLE_FEATURES_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Names of missing capabilities fit in this many. */
#define FEATURES_CAPS_MAX 5

struct features {
	char release[65];  /* "6.12.47+rpt-rpi-2712" */
	unsigned version;  /* as KERNEL_VERSION() makes it; 0 if release cannot be read */
	long page_size;	   /* bytes */
	int cpus_possible; /* or a negative errno */
	int cpus_online;
	uid_t uid; /* effective */
	const char *missing_caps[FEATURES_CAPS_MAX];
	size_t missing_cap_count;

	int tracing; /* 0, or the negative errno of feature_tracing() */
	/* 1, 0 or a negative errno: */
	int raw_tracepoint, prev_state, cgroup_id, ringbuf, mmapable, jit, perf_events, memlock,
		fentry, reads_kernel;
	bool bpf_filtered, perf_filtered;
};

/* Runs all trials below. Takes some milliseconds. */
void features_probe(struct features *features);

/*
 * Loads the smallest tracing program. Returns 0, or a negative errno:
 * -EPERM   capabilities are missing, or this is a user namespace, or (before
 *          5.11) RLIMIT_MEMLOCK is too low
 * -EINVAL  the kernel is built without CONFIG_BPF_EVENTS. Then it knows no
 *          program type for tracing, and says no more than this
 * -ENOSYS  the kernel is built without CONFIG_BPF_SYSCALL
 */
int feature_tracing(void);

/* Raw tracepoints can be attached to. 4.17, c4f6699dfcb8 */
int feature_raw_tracepoint(void);

/*
 * The raw tracepoint sched_switch passes prev_state as its 4th argument.
 * 5.18: fa2c3254d7cf ("sched/tracing: Don't re-read p->state when emitting
 * sched_switch event") and 9c2136be0878 ("sched/tracing: Append prev_state to
 * tp args instead"). Distributions port it back, so the version says little.
 */
int feature_prev_state(void);

/*
 * The raw tracepoints of block requests pass the queue first, and the request
 * as their 2nd argument. Until 5.11: a54895fa057c ("block: remove the request_queue
 * to argument request based tracepoints").
 */
int feature_block_queue(void);

/*
 * Where the io controller is: 1 if it is on cgroup v2 (or unused), 0 if it is mounted as cgroup v1
 * (blkio) or the kernel has none. From procfs/cgroups. Without such a file there is no v1.
 */
int feature_io_cgroups(const char *procfs);

/*
 * bpf_get_current_cgroup_id() may be called from tracing programs. 4.18 for
 * tracepoints, bf6fa2c893c5; needs CONFIG_CGROUPS.
 */
int feature_cgroup_id(void);

/*
 * Tracing programs may call bpf_get_current_ancestor_cgroup_id(). They may not in 5.10, and may
 * in 6.1.
 */
int feature_ancestor_cgroup_id(void);

/*
 * Tracing programs may call bpf_probe_read_kernel(). 5.5, 6ae08ae3dea2. Not if the kernel is locked
 * down to confidentiality.
 */
int feature_reads_kernel(void);

/*
 * Whether something, such as a seccomp filter, keeps the system call from the kernel: 1 or 0. For
 * bpf, the answer has a meaning only with CAP_BPF or CAP_SYS_ADMIN.
 */
int feature_bpf_filtered(void);
int feature_perf_filtered(void);

/* BPF_MAP_TYPE_RINGBUF. 5.8, 457f44363a88 */
int feature_ringbuf(void);

/* Arrays that user space maps: BPF_F_MMAPABLE. 5.5, fc9702273e2e */
int feature_mmapable(void);

/* Programs are compiled: CONFIG_BPF_JIT, and net.core.bpf_jit_enable is not 0. */
int feature_jit(void);

/*
 * Programs can be hooked to the kernel's functions (fentry). Needs the kernel's
 * BTF. 5.5, fec56f5890d9; on arm64 6.4, 90955d778ad7, where the kernel is built
 * with DYNAMIC_FTRACE_WITH_DIRECT_CALLS.
 */
int feature_fentry(void);

/*
 * RLIMIT_MEMLOCK allows maps of some dozen MB: their memory is charged to the cgroup instead (5.11,
 * 97306be45fbe), or the limit is high enough, or it can be raised.
 */
int feature_memlock(void);

/*
 * Programs can be attached to classic tracepoints: perf_event_open() works for all tasks of a CPU.
 * Debian's kernels (5.10, 6.1, 6.12) refuse it to CAP_PERFMON with -EACCES while
 * kernel.perf_event_paranoid is over 2. Their default is 3.
 */
int feature_perf_events(void);

/*
 * The names of the capabilities that the probe needs and this process lacks:
 *  - CAP_BPF and CAP_PERFMON (5.8, a17b53c4a4b5 and 980737282232). CAP_SYS_ADMIN stands for both;
 *  - CAP_SYS_ADMIN if perf events are refused to CAP_PERFMON;
 *  - CAP_DAC_READ_SEARCH to read tracefs, unless the user is root;
 *  - CAP_SYS_RESOURCE if RLIMIT_MEMLOCK applies and is too low.
 * The names are static. Returns how many. docs/capabilities.md says how these were found.
 */
size_t features_missing_caps(const char *names[FEATURES_CAPS_MAX]);

/*
 * The kernel has BTF, and it can be read: sysfs/kernel/btf/vmlinux. 5.4,
 * 341dfcf8d78e; CONFIG_DEBUG_INFO_BTF, which Raspberry Pi kernels have off.
 */
int feature_kernel_btf(const char *sysfs);

/*
 * Finds tracefs: at the wanted path, if that is not NULL; otherwise at sysfs/kernel/tracing or
 * (kernels before 4.1, some distributions) sysfs/kernel/debug/tracing.
 *
 * Returns 0; -ENOENT if it is mounted at none of these; or another negative errno. If it is
 * mounted, path is set, and the error may be -EACCES if this process may not read it (only root
 * may), or -EPERM if it has no events, as in a kernel that is locked down to confidentiality.
 */
int feature_tracefs(const char *sysfs, const char *wanted, char path[PATH_MAX]);

/* Whether the event "group/name" exists under this tracefs. */
int feature_event(const char *tracefs, const char *event);

#endif
