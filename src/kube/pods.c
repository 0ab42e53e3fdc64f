/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/pods.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* FNV-1a, 64 bit. */
#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

void pods_init(struct pods *pods, const struct label_keys *keys, uint64_t keep_ns)
{
	uint64_t seed = 0;

	/* With this, nobody outside can make two pods with one digest. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = 0;
	*pods = (struct pods){
		.keys = keys,
		.keep_ns = keep_ns,
		.digest_seed = FNV_OFFSET ^ seed,
	};
}

static uint64_t digest_of(const struct pods *pods, const char *text, size_t len)
{
	uint64_t digest = pods->digest_seed;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ (unsigned char)text[i]) * FNV_PRIME;
	return digest;
}

static void take_from_hashes(struct pods *pods, struct kube_pod *pod)
{
	if (pod->hh_hash.tbl)
		HASH_DELETE(hh_hash, pods->by_hash, pod);
	pod->hh_hash.tbl = NULL;
}

/* Takes a pod out of the tables it is in. */
static void take_from_tables(struct pods *pods, struct kube_pod *pod)
{
	if (pod->hh.tbl)
		HASH_DEL(pods->by_uid, pod);
	if (pod->hh_digest.tbl)
		HASH_DELETE(hh_digest, pods->by_digest, pod);
	take_from_hashes(pods, pod);
}

/* ---- addresses */

/* Pods have come, gone or changed: the table by address is made anew when it is needed. */
static void forget_addresses(struct pods *pods)
{
	HASH_CLEAR(hh, pods->by_address);
	pods->addresses_known = false;
	pods->addresses_changed++;
}

uint64_t pods_addresses_changed(const struct pods *pods)
{
	return pods->addresses_changed;
}

/* Two pods with one address make it nobody's. Without memory it is nobody's, too. */
static void add_address(struct pods *pods, struct pod_address *address)
{
	struct pod_address *same;

	address->shared = false;
	HASH_FIND(hh, pods->by_address, address->words, sizeof(address->words), same);
	if (same)
		same->shared = true;
	else
		(void)HASH_TRY_ADD(hh, pods->by_address, address->words, sizeof(address->words),
				   address);
}

static void collect_addresses(struct pods *pods)
{
	struct kube_pod *pod;
	size_t i;

	HASH_CLEAR(hh, pods->by_address);
	for (pod = pods->by_uid; pod; pod = pod->hh.next)
		for (i = 0; i < pod->address_count && !pod->unlisted_ns; i++)
			add_address(pods, &pod->addresses[i]);
	pods->addresses_known = true;
}

const struct kube_pod *pods_find_address(struct pods *pods, const uint32_t words[4])
{
	struct pod_address *found;

	if (!pods->addresses_known)
		collect_addresses(pods);
	HASH_FIND(hh, pods->by_address, words, sizeof(found->words), found);
	return found && !found->shared ? found->pod : NULL;
}

/* ---- the tables */

static void take_out(struct pods *pods, struct kube_pod *pod)
{
	forget_addresses(pods);
	take_from_tables(pods, pod);
	pod_free(pod);
}

void pods_free(struct pods *pods)
{
	struct kube_pod *pod, *next;

	HASH_ITER(hh, pods->by_uid, pod, next)
		take_out(pods, pod);
}

void pods_end_listing(struct pods *pods, bool whole, uint64_t now_ns)
{
	struct kube_pod *pod, *next;

	forget_addresses(pods);
	HASH_ITER(hh, pods->by_uid, pod, next) {
		if (pod->listing == pods->listing)
			pod->unlisted_ns = 0;
		else if (whole && !pod->unlisted_ns)
			pod->unlisted_ns = now_ns;
		if (pod->unlisted_ns && now_ns - pod->unlisted_ns > pods->keep_ns)
			take_out(pods, pod);
	}
}

void pods_begin_listing(struct pods *pods)
{
	pods->listing++;
}

static struct kube_pod *find_uid(const struct pods *pods, const char *uid)
{
	struct kube_pod *pod;

	HASH_FIND_STR(pods->by_uid, uid, pod);
	return pod;
}

static struct kube_pod *find_hash(const struct pods *pods, const char *hash)
{
	struct kube_pod *pod;

	HASH_FIND(hh_hash, pods->by_hash, hash, strlen(hash), pod);
	return pod;
}

const struct kube_pod *pods_find(const struct pods *pods, const char *uid)
{
	const struct kube_pod *pod = find_uid(pods, uid);

	return pod ? pod : find_hash(pods, uid);
}

void pods_end(struct pods *pods, const char *uid)
{
	struct kube_pod *pod = find_uid(pods, uid);

	pod = pod ?: find_hash(pods, uid);
	if (!pod)
		return;
	forget_addresses(pods);
	pod->address_count = 0;
}

static bool add_by_hash(struct pods *pods, struct kube_pod *pod)
{
	return HASH_TRY_ADD(hh_hash, pods->by_hash, pod->config_hash, strlen(pod->config_hash),
			    pod);
}

/* Adds a pod to all tables; or to none, without memory. */
static bool add_to_tables(struct pods *pods, struct kube_pod *pod)
{
	if (HASH_TRY_ADD(hh, pods->by_uid, pod->uid, strlen(pod->uid), pod) &&
	    HASH_TRY_ADD(hh_digest, pods->by_digest, &pod->digest, sizeof(pod->digest), pod) &&
	    (!pod->config_hash[0] || add_by_hash(pods, pod)))
		return true;
	take_from_tables(pods, pod);
	return false;
}

/* Puts a pod that was read into the table. It replaces the one with its uid. */
static int put(struct pods *pods, struct kube_pod *pod)
{
	struct kube_pod *old = find_uid(pods, pod->uid);
	struct kube_pod *same_hash = find_hash(pods, pod->config_hash);

	if (old && old->listing == pods->listing)
		return -EEXIST;
	if (!old && pods_count(pods) >= PODS_MAX)
		return -ENOSPC;
	if (!add_to_tables(pods, pod))
		return -ENOMEM;
	forget_addresses(pods);
	pod->listing = pods->listing;
	/* The last pod that was read has the hash, because a new mirror pod has another uid. */
	if (same_hash)
		take_from_hashes(pods, same_hash);
	if (old)
		take_out(pods, old);
	return 0;
}

int pods_add(struct pods *pods, const char *text, size_t len)
{
	uint64_t digest = digest_of(pods, text, len);
	struct kube_pod *pod;
	int err;

	HASH_FIND(hh_digest, pods->by_digest, &digest, sizeof(digest), pod);
	if (pod) {
		pod->listing = pods->listing;
		return 0;
	}
	pods->parsed++;
	err = pod_read(text, len, pods->keys, &pod);
	if (err)
		return err;
	pod->digest = digest;
	err = put(pods, pod);
	if (err)
		pod_free(pod);
	return err;
}

size_t pods_count(const struct pods *pods)
{
	return HASH_COUNT(pods->by_uid);
}
