/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/pod.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "util/array.h"
#include "util/ascii.h"
#include "util/utf8.h"

#define ANNOTATION_HASH	  "kubernetes.io/config.hash"
#define ANNOTATION_SOURCE "kubernetes.io/config.source"
#define SOURCE_API	  "api"
#define LABEL_TEMPLATE	  "pod-template-hash"

/* A field that is a string, or "". */
static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Copies at most max bytes, in whole UTF-8 characters. jansson has checked the encoding. */
static char *copy_text(const char *text, size_t max)
{
	return strndup(text, utf8_cut(text, max));
}

static bool copy_label(const char *text, char out[KUBE_LABEL_MAX + 1])
{
	struct slice label = slice_of(text);

	return kube_label_valid(label) && slice_copy(label, out, KUBE_LABEL_MAX + 1);
}

static bool copy_subdomain(const char *text, char out[KUBE_SUBDOMAIN_MAX + 1])
{
	struct slice subdomain = slice_of(text);

	return kube_subdomain_valid(subdomain) &&
	       slice_copy(subdomain, out, KUBE_SUBDOMAIN_MAX + 1);
}

static int64_t read_time(const char *text)
{
	struct tm time = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &time);

	return end && *end == 'Z' ? timegm(&time) : 0;
}

/* Kinds are names of Go types: letters and digits. */
static bool kind_valid(const char *kind)
{
	size_t len = strlen(kind);

	if (len == 0 || len > KUBE_LABEL_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!ascii_alnum(kind[i]))
			return false;
	return true;
}

/* The owner that controls the pod, or NULL. */
static const json_t *find_controller(const json_t *metadata)
{
	const json_t *owner;
	size_t i;

	json_array_foreach(json_object_get(metadata, "ownerReferences"), i, owner) {
		if (json_is_true(json_object_get(owner, "controller")))
			return owner;
	}
	return NULL;
}

static void read_workload(const json_t *metadata, struct kube_pod *pod)
{
	const json_t *controller = find_controller(metadata);
	struct pod_owner owner = {
		.kind = text_of(controller, "kind"),
		.name = text_of(controller, "name"),
		.template_hash = text_of(json_object_get(metadata, "labels"), LABEL_TEMPLATE),
		.pod_made_s = pod->made_s,
	};

	/* In the kubelet's list a static pod has no owner. Its mirror pod has one. */
	if (!controller && pod->config_hash[0]) {
		owner.kind = "Node";
		owner.name = pod->node;
	}
	if (kind_valid(owner.kind) && kube_subdomain_valid(slice_of(owner.name)))
		workload_of(&owner, &pod->workload);
}

static int read_labels(const json_t *labels, const struct label_keys *keys, struct kube_pod *pod)
{
	if (!keys->count)
		return 0;
	pod->labels = calloc(keys->count, sizeof(*pod->labels));
	if (!pod->labels)
		return -ENOMEM;
	pod->label_count = keys->count;
	for (size_t i = 0; i < keys->count; i++) {
		const char *value = text_of(labels, keys->list[i].key);

		if (!value[0])
			continue;
		pod->labels[i] = copy_text(value, LABEL_VALUE_MAX);
		if (!pod->labels[i])
			return -ENOMEM;
	}
	return 0;
}

/*
 * A static pod has the hash of its configuration as an annotation. Another annotation says that it
 * does not come from the API server. Its mirror pod has both, too.
 */
static void read_config_hash(const json_t *annotations, struct kube_pod *pod)
{
	const char *hash = text_of(annotations, ANNOTATION_HASH);
	const char *source = text_of(annotations, ANNOTATION_SOURCE);

	if (source[0] && strcmp(source, SOURCE_API) != 0)
		pod_uid_read(slice_of(hash), pod->config_hash);
}

/* Adds a start of a container: <runtime>://<id>. Skips anything that has no id of 64 digits. */
static int add_container(struct kube_pod *pod, const char *name, const char *url, const char *image)
{
	struct pod_container *container;
	const char *id = strstr(url, "://");

	if (!id || !container_id_valid(slice_of(id + 3)) ||
	    pod->container_count == POD_CONTAINERS_MAX || pod_find_container(pod, id + 3))
		return 0;
	container = reallocarray(pod->containers, pod->container_count + 1, sizeof(*container));
	if (!container)
		return -ENOMEM;
	pod->containers = container;
	container += pod->container_count;
	if (!copy_label(name, container->name))
		return 0;
	memcpy(container->id, id + 3, CONTAINER_ID_SIZE);
	container->image = copy_text(image, POD_IMAGE_MAX);
	if (!container->image)
		return -ENOMEM;
	pod->container_count++;
	return 0;
}

static const char *ended_id(const json_t *status, const char *state)
{
	const json_t *ended = json_object_get(json_object_get(status, state), "terminated");

	return text_of(ended, "containerID");
}

/* Adds the ids in a ContainerStatus: that of the container, and that of its previous start. */
static int read_status(const json_t *status, struct kube_pod *pod)
{
	const char *name = text_of(status, "name"), *image = text_of(status, "image");
	int err;

	err = add_container(pod, name, text_of(status, "containerID"), image);
	err = err ?: add_container(pod, name, ended_id(status, "state"), image);
	return err ?: add_container(pod, name, ended_id(status, "lastState"), image);
}

static int read_statuses(const json_t *pod_status, struct kube_pod *pod)
{
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses",
					    "ephemeralContainerStatuses"};
	const json_t *status;
	size_t i;
	int err = 0;

	for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
		json_array_foreach(json_object_get(pod_status, lists[list]), i, status) {
			err = err ?: read_status(status, pod);
		}
	}
	return err;
}

static bool has_id(const json_t *pod_status, const char *list, const char *container)
{
	const json_t *status;
	size_t i;

	json_array_foreach(json_object_get(pod_status, list), i, status) {
		if (strcmp(text_of(status, "name"), container) == 0)
			return text_of(status, "containerID")[0] != '\0';
	}
	return false;
}

/* Whether each container of the specification has an id already. */
static bool is_complete(const json_t *spec, const json_t *pod_status)
{
	static const struct {
		const char *spec, *status;
	} lists[] = {
		{"containers", "containerStatuses"},
		{"initContainers", "initContainerStatuses"},
		{"ephemeralContainers", "ephemeralContainerStatuses"},
	};
	const json_t *container;
	size_t i;

	for (size_t list = 0; list < ARRAY_SIZE(lists); list++) {
		json_array_foreach(json_object_get(spec, lists[list].spec), i, container) {
			if (!has_id(pod_status, lists[list].status, text_of(container, "name")))
				return false;
		}
	}
	return json_array_size(json_object_get(spec, "containers")) > 0;
}

static enum cgroup_qos read_qos(const char *text)
{
	if (strcmp(text, "Guaranteed") == 0)
		return QOS_GUARANTEED;
	if (strcmp(text, "Burstable") == 0)
		return QOS_BURSTABLE;
	return strcmp(text, "BestEffort") == 0 ? QOS_BESTEFFORT : QOS_NONE;
}

/* IPv4 is mapped to IPv6. */
static bool read_address(const char *text, uint32_t words[4])
{
	if (inet_pton(AF_INET6, text, words) == 1)
		return true;
	words[0] = words[1] = 0;
	words[2] = htonl(0xffff);
	return inet_pton(AF_INET, text, &words[3]) == 1;
}

static bool has_address(const struct kube_pod *pod, const uint32_t words[4])
{
	for (size_t i = 0; i < pod->address_count; i++)
		if (!memcmp(pod->addresses[i].words, words, sizeof(pod->addresses[i].words)))
			return true;
	return false;
}

static void add_address(const char *text, struct kube_pod *pod)
{
	struct pod_address *address = &pod->addresses[pod->address_count];
	uint32_t words[4];

	if (pod->address_count == POD_ADDRESSES_MAX || !read_address(text, words) ||
	    has_address(pod, words))
		return;
	memcpy(address->words, words, sizeof(words));
	address->pod = pod;
	pod->address_count++;
}

static bool is_hosts(const json_t *status, const char *ip)
{
	const json_t *host;
	size_t i;

	if (!strcmp(text_of(status, "hostIP"), ip))
		return true;
	json_array_foreach(json_object_get(status, "hostIPs"), i, host) {
		if (!strcmp(text_of(host, "ip"), ip))
			return true;
	}
	return false;
}

static void read_addresses(const json_t *spec, const json_t *status, struct kube_pod *pod)
{
	const char *phase = text_of(status, "phase"), *first = text_of(status, "podIP");
	const json_t *ip;
	size_t i;

	if (json_is_true(json_object_get(spec, "hostNetwork")) || !strcmp(phase, "Succeeded") ||
	    !strcmp(phase, "Failed"))
		return;
	if (!is_hosts(status, first))
		add_address(first, pod);
	json_array_foreach(json_object_get(status, "podIPs"), i, ip) {
		if (!is_hosts(status, text_of(ip, "ip")))
			add_address(text_of(ip, "ip"), pod);
	}
}

static int read_root(const json_t *root, const struct label_keys *keys, struct kube_pod *pod)
{
	const json_t *metadata = json_object_get(root, "metadata");
	const json_t *spec = json_object_get(root, "spec");
	const json_t *status = json_object_get(root, "status");
	int err;

	if (!pod_uid_read(slice_of(text_of(metadata, "uid")), pod->uid) ||
	    !copy_label(text_of(metadata, "namespace"), pod->namespace) ||
	    !copy_subdomain(text_of(metadata, "name"), pod->name))
		return -EINVAL;
	copy_subdomain(text_of(spec, "nodeName"), pod->node);
	pod->made_s = read_time(text_of(metadata, "creationTimestamp"));
	read_config_hash(json_object_get(metadata, "annotations"), pod);
	read_workload(metadata, pod);
	pod->qos = read_qos(text_of(status, "qosClass"));
	pod->complete = is_complete(spec, status);
	read_addresses(spec, status, pod);
	err = read_labels(json_object_get(metadata, "labels"), keys, pod);
	return err ?: read_statuses(status, pod);
}

int pod_read(const char *text, size_t len, const struct label_keys *keys, struct kube_pod **out)
{
	struct kube_pod *pod;
	json_t *root;
	int err;

	*out = NULL;
	root = json_loadb(text, len, 0, NULL);
	if (!root)
		return -EINVAL;
	pod = calloc(1, sizeof(*pod));
	err = pod ? read_root(root, keys, pod) : -ENOMEM;
	json_decref(root);
	if (err)
		pod_free(pod);
	else
		*out = pod;
	return err;
}

void pod_free(struct kube_pod *pod)
{
	if (!pod)
		return;
	for (size_t i = 0; i < pod->container_count; i++)
		free(pod->containers[i].image);
	for (size_t i = 0; i < pod->label_count; i++)
		free(pod->labels[i]);
	free(pod->containers);
	free(pod->labels);
	free(pod);
}

const struct pod_container *pod_find_container(const struct kube_pod *pod, const char *id)
{
	for (size_t i = 0; i < pod->container_count; i++)
		if (strcmp(pod->containers[i].id, id) == 0)
			return &pod->containers[i];
	return NULL;
}
