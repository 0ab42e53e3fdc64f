/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The pods that the kubelet listed, by uid. Begin a listing, add one pod after the other, and end
 * it. A pod that was in no listing for a while is forgotten. A pod whose JSON has not changed is
 * not parsed again.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_PODS_H
#define BRAMBLE_PODS_H

#include "kube/pod.h"

/* Kubernetes is made for 110 pods on a node, and some go to 500. */
#define PODS_MAX 4096

struct pods {
	const struct label_keys *keys;
	uint64_t keep_ns; /* how long a pod stays that is no longer listed */

	/* The rest is private. */
	struct kube_pod *by_uid, *by_hash, *by_digest;
	struct pod_address *by_address; /* made when it is needed after a change */
	bool addresses_known;
	uint64_t addresses_changed; /* how often they may have */
	unsigned int listing;
	uint64_t digest_seed;
	uint64_t parsed; /* pods parsed so far */
};

/* Makes an empty table. The keys must outlive it. */
void pods_init(struct pods *pods, const struct label_keys *keys, uint64_t keep_ns);
void pods_free(struct pods *pods);

void pods_begin_listing(struct pods *pods);

/*
 * Adds one pod of the listing, or replaces what was known of it. Returns 0; -EINVAL as pod_read()
 * does; -EEXIST if a different pod in this listing has the same uid (the first one stays); -ENOSPC
 * if there are too many; -ENOMEM.
 */
int pods_add(struct pods *pods, const char *text, size_t len);

/*
 * Ends the listing. If the listing was incomplete, pods that are missing from it stay. now_ns is
 * CLOCK_MONOTONIC.
 */
void pods_end_listing(struct pods *pods, bool whole, uint64_t now_ns);

/* The pod whose cgroups have this uid: its own, or its config hash. NULL if there is none. */
const struct kube_pod *pods_find(const struct pods *pods, const char *uid);

/*
 * The pod of this node that has an address; see struct pod_address. NULL if there is none, if more
 * than one listed pod has it, or if the pod is no longer listed.
 */
const struct kube_pod *pods_find_address(struct pods *pods, const uint32_t words[4]);

/*
 * The pod whose cgroups have this uid has no address any more, unless it is listed with something
 * new. Its cgroup was removed.
 */
void pods_end(struct pods *pods, const char *uid);

/* A number that changes if pods_find_address() may find another pod than before. */
uint64_t pods_addresses_changed(const struct pods *pods);

size_t pods_count(const struct pods *pods);

#endif
