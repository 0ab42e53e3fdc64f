/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the container of a pod that a cgroup belongs to, by the time when the cgroup was made.
 *
 * What starts when, on one pod (kuberuntime's SyncPod, startContainer and
 * generateContainerConfig; containerd's StartContainer; CRI-O's conmon):
 *
 *   the pod's log directory, the sandbox's cgroup,
 *   then for each start of a container, one container after the other:
 *   its log directory (the first time), N.log, its cgroup.
 *
 * So the cgroup belongs to the container that was started last before the cgroup was made. That is
 * accepted only if the start lies at most LOG_START_GAP_NS before it. The reason is that starts get
 * lost: when the kubelet rotates a log, N.log is a new file. An answer is also refused if the clock
 * was visibly set in between and could have caused it.
 *
 * No name is better than a wrong one, with one exception. If a pod has one container, and a cgroup
 * was made after the container's directory, and its start is lost, it is taken for that container.
 * It may be a sandbox that was made again before bramble was there, but that uses next to nothing.
 *
 * Times are nanoseconds of CLOCK_REALTIME as it was set at that time; 0 is unknown.
 */
#ifndef BRAMBLE_KUBE_LOG_MATCH_H
#define BRAMBLE_KUBE_LOG_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/name.h"

/* From the start of a container to its cgroup: a fraction of a second, seconds on a busy SD card.
 */
#define LOG_START_GAP_NS   10000000000LL

/*
 * Times that are closer than this have no order. File systems and /proc/PID/stat count in ticks of
 * at most 10 ms, and the clock may be slewed in between. A runtime takes longer than this to make a
 * sandbox or a container.
 */
#define LOG_CLOCK_SLACK_NS 20000000LL

/*
 * A container whose log shows no start for so long before a cgroup was made was not started with
 * it. That is so if the time is exact, since the log is there before the cgroup.
 */
#define LOG_REST_NS	   60000000000LL

#define LOG_STARTS_MAX	   5

/* One start of a container. The first has attempt 0, and its log is 0.log. */
struct log_start {
	unsigned int attempt;
	int64_t at_ns;
};

struct log_container {
	char name[KUBE_LABEL_MAX + 1];
	int64_t made_ns; /* birth of its directory */
	struct log_start starts[LOG_STARTS_MAX];
	size_t start_count;
	bool linked; /* its logs are links that name container ids, so no times are needed */

	/* One more start lies somewhere between these two; none does if before is 0. */
	int64_t lost_after_ns;
	int64_t lost_before_ns;
};

struct log_pod {
	int64_t made_ns; /* birth of its directory */
	struct log_container *containers;
	size_t count;
};

/* When a cgroup was made. */
struct log_birth {
	int64_t at_ns; /* CLOCK_REALTIME as it was set then, like the births of files; 0: unknown */
	int64_t age_ns; /* how long before the pod was read, by a clock that nobody sets */
	/* Its making was seen, and the clock was not set within LOG_REST_NS before. */
	bool exact;
};

/*
 * Finds whose cgroup was made then; birth->at_ns is known.
 *
 * Returns 0, with *out one of the pod's containers, or NULL for the sandbox;
 * -EAGAIN if it is not known now. Then *out is untouched.
 */
int log_match(const struct log_pod *pod, const struct log_birth *birth,
	      const struct log_container **out);

#endif
