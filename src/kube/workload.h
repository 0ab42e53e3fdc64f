/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which workload a pod belongs to, told from its owner alone, without asking
 * the API server for the owner's owner.
 */
#ifndef BRAMBLE_WORKLOAD_H
#define BRAMBLE_WORKLOAD_H

#include <stdint.h>

#include "kube/name.h"

/* Empty strings for a pod that nothing owns. */
struct workload {
	char kind[KUBE_LABEL_MAX + 1]; /* "Deployment" */
	char name[KUBE_SUBDOMAIN_MAX + 1];
};

/* The owner of a pod, and what else tells. Strings that are not known are "". */
struct pod_owner {
	const char *kind;
	const char *name;
	const char *template_hash; /* the pod's label pod-template-hash */
	int64_t pod_made_s;	   /* creationTimestamp, Unix time; 0 if not known */
};

/*
 * A ReplicaSet called <name>-<pod-template-hash> is a Deployment's
 * (getNewReplicaSet() in pkg/controller/deployment/sync.go).
 *
 * A Job called <name>-<number> is a CronJob's if the number is the time it was
 * due (getJobName() and getTimeHashInMinutes() in
 * pkg/controller/cronjob/utils.go: minutes since 1970; seconds before
 * Kubernetes 1.21), which is before the pod was made, by a year at most.
 *
 * Any other owner is the workload itself.
 */
void workload_of(const struct pod_owner *owner, struct workload *out);

#endif
