/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the workload of a pod from the pod's owner alone. It does not ask the API server for the
 * owner's owner.
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

/* The owner of a pod, and what else shows the workload. Unknown strings are "". */
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
 * A Job called <name>-<number> is a CronJob's if the number is the time when the Job was due, which
 * must lie before the pod's creation, by a year at most (getJobName() and getTimeHashInMinutes() in
 * pkg/controller/cronjob/utils.go: minutes since 1970; seconds before Kubernetes 1.21).
 *
 * Any other owner is the workload itself.
 */
void workload_of(const struct pod_owner *owner, struct workload *out);

#endif
