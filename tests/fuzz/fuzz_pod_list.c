/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Any bytes as an answer of the kubelet, twice. The first byte says how many bytes arrive at a
 * time.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/json_items.h"
#include "kube/pods.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct label_keys keys;

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void on_item(void *context, const char *text, size_t len)
{
	int err;

	must(len >= 2 && text[0] == '{' && text[len - 1] == '}');
	err = pods_add(context, text, len);
	must(err == 0 || err == -EINVAL || err == -EEXIST);
}

static int read_list(struct pods *pods, const char *text, size_t len, size_t part)
{
	struct json_items items = {0};
	int err = 0;

	pods_begin_listing(pods);
	json_items_begin(&items, on_item, pods);
	for (size_t at = 0; !err && at < len; at += part)
		err = json_items_feed(&items, text + at, part < len - at ? part : len - at);
	err = err ? err : json_items_end(&items);
	json_items_free(&items);
	must(err == 0 || err == -EINVAL || err == -ENODATA);
	return err;
}

static void check_pod(const struct kube_pod *pod)
{
	char uid[POD_UID_SIZE];

	must(pod_uid_read(slice_of(pod->uid), uid) && strcmp(uid, pod->uid) == 0);
	must(kube_label_valid(slice_of(pod->namespace)));
	must(kube_subdomain_valid(slice_of(pod->name)));
	must(!pod->node[0] || kube_subdomain_valid(slice_of(pod->node)));
	must(!pod->workload.kind[0] == !pod->workload.name[0]);
	must(pod->container_count <= POD_CONTAINERS_MAX && pod->label_count == keys.count);
	for (size_t i = 0; i < pod->label_count; i++)
		must(!pod->labels[i] || strlen(pod->labels[i]) <= LABEL_VALUE_MAX);
	for (size_t i = 0; i < pod->container_count; i++) {
		const struct pod_container *container = &pod->containers[i];

		must(container_id_valid(slice_of(container->id)));
		must(kube_label_valid(slice_of(container->name)));
		must(strlen(container->image) <= POD_IMAGE_MAX);
		must(pod_find_container(pod, container->id) == container);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kube_pod *pod;
	struct pods pods;
	size_t count;
	int err;

	if (size == 0)
		return 0;
	if (!keys.list)
		must(label_keys_parse("app,app.kubernetes.io/name", &keys) == 0);
	pods_init(&pods, &keys, 1);
	err = read_list(&pods, (const char *)data + 1, size - 1, data[0] + 1U);
	pods_end_listing(&pods, !err, 1);
	count = pods_count(&pods);
	for (pod = pods.by_uid; pod; pod = pod->hh.next) {
		check_pod(pod);
		must(pods_find(&pods, pod->uid) == pod);
	}
	/* The same bytes mean the same, however they arrive. */
	must(read_list(&pods, (const char *)data + 1, size - 1, 4096) == err);
	pods_end_listing(&pods, !err, 2);
	must(pods_count(&pods) == count);
	pods_free(&pods);
	return 0;
}
