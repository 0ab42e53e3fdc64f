/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bramble_pod_info and bramble_container_info: what is known of pods and containers beside their
 * counts. Queries join them by name, so there is one for each name. If several pods or containers
 * have the same name, it describes the one that was made last. It exists as long as the counts.
 *
 * If the kubelet is asked, an info waits for its answer. Otherwise a pod would have two pod_infos,
 * the first without its workload. After NAMING_WAIT_NS it is shown with what is known. Until then
 * an older pod or container of the same name keeps its info. If the kubelet changes something later
 * (a pod's labels), one series ends and another begins.
 */
#ifndef BRAMBLE_INFO_H
#define BRAMBLE_INFO_H

#include "kube/names.h"
#include "metrics/members.h"
#include "metrics/owners.h"

struct pod_info {
	const struct labels *labels;	  /* namespace and pod */
	const struct cgroup_name *cgroup; /* uid, QoS */
	const struct kube_pod *pod;	  /* what the kubelet says; NULL if it does not */
};

struct container_info {
	const struct labels *labels;
	const char *id;
	const char *image; /* "" if it is not known */
};

/* It points to what the members, the owners and the names own. */
struct infos {
	struct pod_info *pods;
	size_t pod_count;
	struct container_info *containers;
	size_t container_count;
};

/* How much the infos of a cgroup show. */
enum told {
	TOLD_NOTHING, /* they wait for the kubelet */
	TOLD_PART,    /* the kubelet did not answer in time, or is not asked */
	TOLD_ALL,
};

/* Decides how much the infos of each cgroup show from now on. now_ns: CLOCK_MONOTONIC. */
void infos_update(struct members *members, const struct kube_names *names, uint64_t now_ns);

/*
 * Makes the infos, as of the last infos_update(). Returns 0, and the caller gives *out to
 * infos_free(); or -ENOMEM.
 */
int infos_read(const struct members *members, const struct kube_names *names, struct infos *out);

void infos_free(struct infos *infos);

#endif
