/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is told of pods and containers beside their counts: bramble_pod_info and
 * bramble_container_info. There is one of each for a name, so that queries can
 * join them: of several pods or containers of one name, the one made last.
 * They are there for as long as what they describe has counts.
 *
 * Where the kubelet is asked, they wait for its answer, so that a pod has one pod_info and
 * not first another one without its workload; for NAMING_WAIT_NS at most, then what is known is
 * told. Until then an older pod or container of the same name keeps its info. What the kubelet
 * changes later (a pod's labels) ends one series and begins another.
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

/* What it points to is the members', the owners' and the names'. */
struct infos {
	struct pod_info *pods;
	size_t pod_count;
	struct container_info *containers;
	size_t container_count;
};

/* What the infos of a cgroup have. */
enum told {
	TOLD_NOTHING, /* the kubelet may tell more soon */
	TOLD_PART,    /* it has not, and was waited for; or it is not asked */
	TOLD_ALL,
};

/* Looks at what is known of each cgroup by now. now_ns is CLOCK_MONOTONIC. */
void infos_update(struct members *members, const struct kube_names *names, uint64_t now_ns);

/* As of the last infos_update(). Returns 0, with *out to be given to infos_free(), or -ENOMEM. */
int infos_read(const struct members *members, const struct kube_names *names, struct infos *out);

void infos_free(struct infos *infos);

#endif
