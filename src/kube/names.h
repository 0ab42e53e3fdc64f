/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The names of pods and containers, from all available sources: the kubelet, the pods' log
 * directories, or both, with the kubelet first. If one of them does not know something about a pod,
 * the other may.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_NAMES_H
#define BRAMBLE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/path.h"
#include "kube/kubelet.h"
#include "kube/label_keys.h"
#include "kube/name.h"
#include "kube/pods.h"
#include "sandbox/needs.h"

enum kube_source {
	KUBE_AUTO, /* the kubelet if there is a token for it, and the log directories */
	KUBE_KUBELET,
	KUBE_LOGS,
	KUBE_NONE, /* pods are shown by their uid */
};

struct kube_options {
	enum kube_source source;
	struct kubelet_options kubelet;
	const char *log_dir;
	struct label_keys labels; /* of pods, to keep */
	uint64_t keep_ns;	  /* how long pods that left its list are known */
};

/* A container's cgroup, in a pod. */
struct kube_cgroup {
	const char *pod_uid;
	const char *container_id;
	int64_t born_ns;      /* CLOCK_BOOTTIME; 0 if not known */
	int64_t born_wall_ns; /* the same by CLOCK_REALTIME as it was set then */
	bool born_exact;      /* see struct log_birth */
	bool oldest;	      /* of the pod's containers that are there */
};

struct kube_names;

/*
 * Makes one. The strings and labels of the options must outlive it. Returns 0, or a negative errno
 * after it has logged the reason.
 */
int kube_names_open(const struct kube_options *options, struct kube_names **out);
void kube_names_close(struct kube_names *names);

/* Adds what these sources will still read and ask. */
void kube_names_need(const struct kube_options *options, struct sandbox_needs *needs);

/* Readable when kube_names_run() has something to do; -1: never. */
int kube_names_fd(const struct kube_names *names);

/* Does what is due. Returns whether new names may be known. */
bool kube_names_run(struct kube_names *names);

/*
 * Finds the pod of a cgroup that was made at born_ns (CLOCK_BOOTTIME; 0 if not known);
 * out->container becomes empty. Returns 0, or -ENOENT if it is not known, or not yet: *out is
 * all empty then.
 */
int kube_names_find_pod(struct kube_names *names, const char *pod_uid, int64_t born_ns,
			struct kube_name *out);

/*
 * Finds a container, or KUBE_SANDBOX for a pod's sandbox. Returns 0; -EAGAIN if only the pod is
 * known (and set); -ENOENT if neither is known. A later call may find it. The caller remembers what
 * was found.
 */
int kube_names_find_container(struct kube_names *names, const struct kube_cgroup *cgroup,
			      struct kube_name *out);

/*
 * Begins a round of look-ups. In a round, the directory of all pods is read at most once, however
 * many pods are not found in it. Before the first round, each look-up reads it.
 */
void kube_names_begin_round(struct kube_names *names);

/* How many directories look-ups have read so far. These take most of their time. */
uint64_t kube_names_reads(const struct kube_names *names);

/* What the kubelet says about a pod. NULL if it does not know the pod, or is not a source. */
const struct kube_pod *kube_names_pod(const struct kube_names *names, const char *pod_uid);

/*
 * The pod of this node that has an address (IPv4 mapped to IPv6, big endian), as the kubelet lists
 * it; NULL if that is not known for sure: pods_find_address().
 */
const struct kube_pod *kube_names_pod_at(struct kube_names *names, const uint32_t words[4]);

/* A number that changes if that may find another pod than before. */
uint64_t kube_names_addresses_changed(const struct kube_names *names);

/* A pod's cgroup was removed: its address may be another pod's now. */
void kube_names_end_pod(struct kube_names *names, const char *pod_uid);

/* A pod's cgroup is gone, and its name is no longer needed. */
void kube_names_forget_pod(struct kube_names *names, const char *pod_uid);

/* Whether there is any source. */
bool kube_names_known(const struct kube_names *names);

/* NULL if the kubelet is not a source, or not yet. */
const struct kubelet_status *kube_names_kubelet(const struct kube_names *names);

/* The labels of pods that are kept. */
const struct label_keys *kube_names_labels(const struct kube_names *names);

/* The number of pods the kubelet listed. */
size_t kube_names_pods(const struct kube_names *names);

#endif
