/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kubelet says about a pod, read from the pod's JSON (core/v1 Pod). A name that is not
 * valid in Kubernetes is not accepted.
 */
#ifndef BRAMBLE_POD_H
#define BRAMBLE_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/path.h"
#include "kube/label_keys.h"
#include "kube/name.h"
#include "kube/workload.h"
#include "util/hash.h"

/* The most starts of containers that are kept for a pod. Further ones are left out. */
#define POD_CONTAINERS_MAX 256

/* Longer image names are cut. */
#define POD_IMAGE_MAX	   255

/* A pod has an address, or two if the node has IPv4 and IPv6. */
#define POD_ADDRESSES_MAX  2

/* An address of a pod of its own. IPv4 is mapped to IPv6. */
struct pod_address {
	uint32_t words[4]; /* big endian */
	struct kube_pod *pod;
	bool shared; /* with another pod, which is kept by the table of pods, as is hh */
	UT_hash_handle hh;
};

/* One start of a container: a restart has another id. */
struct pod_container {
	char name[KUBE_LABEL_MAX + 1];
	char id[CONTAINER_ID_SIZE];
	char *image;
};

struct kube_pod {
	char uid[POD_UID_SIZE];
	/*
	 * For a static pod: the hash of its configuration, which names its cgroups and its log
	 * directory. The kubelet uses it as the uid. The API server has another uid, that of the
	 * mirror pod.
	 */
	char config_hash[POD_UID_SIZE];
	char namespace[KUBE_LABEL_MAX + 1];
	char name[KUBE_SUBDOMAIN_MAX + 1];
	char node[KUBE_SUBDOMAIN_MAX + 1];
	struct workload workload;
	enum cgroup_qos qos;
	int64_t made_s; /* creationTimestamp; 0 if not known */
	bool complete;	/* the id of each of its containers is known */
	/*
	 * Not of one in the host's network, whose address is the node's; nor of one that has ended,
	 * whose address may be another pod's.
	 */
	struct pod_address addresses[POD_ADDRESSES_MAX];
	size_t address_count;
	struct pod_container *containers;
	size_t container_count;
	char **labels; /* for each of the label keys a value, or NULL */
	size_t label_count;

	/* Kept by the table of pods. */
	uint64_t digest;      /* of the JSON it was read from */
	unsigned int listing; /* the last listing it was in */
	uint64_t unlisted_ns; /* since when it is in no listing, CLOCK_MONOTONIC; 0: it is in one */
	UT_hash_handle hh;    /* by uid */
	UT_hash_handle hh_hash;	  /* by config_hash, if it has one */
	UT_hash_handle hh_digest; /* by digest */
};

/*
 * Reads a pod. keys: the labels to keep. Returns 0, and the caller gives *out to pod_free();
 * -EINVAL if it is not JSON, or has no valid uid, namespace and name; -ENOMEM.
 */
int pod_read(const char *text, size_t len, const struct label_keys *keys, struct kube_pod **out);

void pod_free(struct kube_pod *pod);

/* The container of that id, or NULL. */
const struct pod_container *pod_find_container(const struct kube_pod *pod, const char *id);

#endif
