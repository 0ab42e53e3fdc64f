/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names of pods and containers from the directories the kubelet keeps logs in,
 * <namespace>_<pod>_<uid>/<container>/<attempt>.log: no API server, no token.
 *
 * The uid is the one in cgroup paths, also for static pods (the config hash).
 * One thread calls all of this. Once a container's name is found, the caller must remember it,
 * because the evidence for it fades (see log_match.h).
 */
#ifndef BRAMBLE_KUBE_LOGS_H
#define BRAMBLE_KUBE_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/log_match.h"
#include "kube/name.h"

struct kube_logs;

/*
 * Makes *out for a directory, usually /var/log/pods, which need not exist yet. Returns 0 or
 * -ENOMEM. kube_logs_close() frees it; NULL is allowed there.
 */
int kube_logs_open(const char *dir, struct kube_logs **out);
void kube_logs_close(struct kube_logs *logs);

/*
 * Finds the pod with this uid. out->container becomes empty. A pod that was found is remembered.
 * For an unknown pod, the directory is read again only if it has changed.
 *
 * Returns 0; -ENOENT if there is no such pod, or not yet; or why the directory
 * could not be read (kube_logs_error()). Unless it is 0, *out is all empty.
 */
int kube_logs_find_pod(struct kube_logs *logs, const char *pod_uid, struct kube_name *out);

/*
 * Finds the pod, and which of its containers has this id; KUBE_SANDBOX for the
 * pod's sandbox. The pod's directory is read each time.
 *
 * birth is when the cgroup was made. It comes from cgroup_mkdir's event, or from the start of the
 * oldest process in the cgroup (within 10 ms of it). The times of the cgroup's directory do not
 * help: kernfs sets them anew whenever it makes the inode.
 *
 * A link to the container's id (docker) is proof. Otherwise only the time shows it (log_match.h).
 * If the time is unknown, nothing does: even the cgroup of a pod's only container could be its
 * sandbox.
 *
 * Returns 0; -EAGAIN if the container is not known, now or for good (then the pod's names are set,
 * and the short container id should be shown); -ENOENT and errors as above; or the reason why the
 * pod's own directory could not be read, with the pod's names set.
 */
int kube_logs_find_container(struct kube_logs *logs, const char *pod_uid, const char *container_id,
			     const struct log_birth *birth, struct kube_name *out);

/*
 * Begins a round of look-ups, in which the directory is read at most once. Before the first round,
 * each look-up for an unknown pod reads it.
 */
void kube_logs_begin_round(struct kube_logs *logs);

/* How many directories were read so far: this one, and those of pods. */
uint64_t kube_logs_reads(const struct kube_logs *logs);

/* Forgets a pod that is gone. */
void kube_logs_forget_pod(struct kube_logs *logs, const char *pod_uid);

/*
 * Why the directory could not be read at the last try: a negative errno, including -ENOENT. 0 if it
 * could be read, or has not been tried.
 */
int kube_logs_error(const struct kube_logs *logs);

/*
 * Whether kube_logs_error() has changed since the last call of this (0 at first). Call it after a
 * find, to log a change once.
 */
bool kube_logs_error_changed(struct kube_logs *logs);

/* For tests: another clock than CLOCK_REALTIME, in nanoseconds. */
void kube_logs_use_clock(struct kube_logs *logs, int64_t (*now_ns)(void));

#endif
