/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/part.h"
#include "cgroup/unit.h"
#include "util/array.h"
#include "util/ascii.h"

#define UUID_LEN	 36
#define CONFIG_HASH_LEN	 32
#define CONTAINER_ID_LEN (CONTAINER_ID_SIZE - 1)
#define UNIT_OF_ROOT	 "root"

/* The text that runtimes put before the id: followed by '-', or between two ':'. */
static const struct {
	const char *name;
	enum cgroup_runtime runtime;
} runtimes[] = {
	{"cri-containerd", RUNTIME_CONTAINERD},
	{"nerdctl", RUNTIME_CONTAINERD},
	{"crio", RUNTIME_CRIO},
	{"docker", RUNTIME_DOCKER}, /* also the parent of bare ids: /docker/<id> */
	{"libpod", RUNTIME_PODMAN},
	{"libpod-payload", RUNTIME_PODMAN}, /* podman run --cgroups=split */
};

bool container_id_valid(struct slice text)
{
	return text.len == CONTAINER_ID_LEN && slice_only(text, SLICE_LOWER_HEX);
}

bool pod_uid_read(struct slice text, char out[POD_UID_SIZE])
{
	char uid[POD_UID_SIZE] = "";

	if (text.len == CONFIG_HASH_LEN && slice_only(text, SLICE_LOWER_HEX))
		return slice_copy(text, out, POD_UID_SIZE);
	if (text.len != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool separator = i == 8 || i == 13 || i == 18 || i == 23;

		uid[i] = text.at[i];
		if (separator && uid[i] == '_')
			uid[i] = '-';
		if (separator ? uid[i] != '-' : !ascii_lower_hex(uid[i]))
			return false;
	}
	memcpy(out, uid, sizeof(uid));
	return true;
}

/* Reads [...-]kubepods[-burstable|-besteffort]-pod<uid>.slice, and what may follow after ':'. */
static bool read_pod_slice(struct slice part, struct cgroup_name *out)
{
	struct slice rest = part, uid;
	enum cgroup_qos qos = QOS_GUARANTEED;

	slice_cut(&rest, ':', &part);
	if (!slice_drop_suffix(&part, ".slice"))
		return false;

	/* A uid has no "-pod" in it, and its length is one of two. */
	for (uid = (struct slice){part.at + part.len, 0}; part.len; part.len--) {
		if (slice_drop_suffix(&part, "-pod"))
			break;
		uid.at--;
		uid.len++;
	}
	if (!pod_uid_read(uid, out->pod_uid))
		return false;
	if (slice_drop_suffix(&part, "-burstable"))
		qos = QOS_BURSTABLE;
	else if (slice_drop_suffix(&part, "-besteffort"))
		qos = QOS_BESTEFFORT;

	if (!slice_is(part, KUBEPODS) && !slice_ends(part, "-" KUBEPODS)) {
		out->pod_uid[0] = '\0';
		return false;
	}
	out->qos = qos;
	return true;
}

/* Reads pod<uid>; above[0] is its parent and above[1] its grandparent. */
static bool read_pod_dir(struct slice part, const struct slice above[2], struct cgroup_name *out)
{
	enum cgroup_qos qos = QOS_GUARANTEED;

	if (slice_is(above[0], "burstable"))
		qos = QOS_BURSTABLE;
	else if (slice_is(above[0], "besteffort"))
		qos = QOS_BESTEFFORT;

	if (!slice_is(above[qos == QOS_GUARANTEED ? 0 : 1], KUBEPODS) ||
	    !slice_drop_prefix(&part, "pod") || !pod_uid_read(part, out->pod_uid))
		return false;
	out->qos = qos;
	return true;
}

/* The length of a path above one of its components, without the slash. */
static uint16_t length_above(const char *path, struct slice part)
{
	size_t len = (size_t)(part.at - path);

	while (len && path[len - 1] == '/')
		len--;
	return (uint16_t)len;
}

static uint16_t length_with(const char *path, struct slice part)
{
	return (uint16_t)(part.at + part.len - path);
}

static bool is_kubepods_slice(struct slice part)
{
	return slice_drop_suffix(&part, ".slice") &&
	       (slice_is(part, KUBEPODS) || slice_ends(part, "-" KUBEPODS));
}

static bool is_qos_slice(struct slice part)
{
	return slice_ends(part, KUBEPODS "-burstable.slice") ||
	       slice_ends(part, KUBEPODS "-besteffort.slice");
}

/*
 * The kubelet's cgroup root: above "kubepods" or its slice, or above the pod where the runtime has
 * put its containers elsewhere. above[0] is the pod's parent and above[1] its grandparent.
 */
static uint16_t root_of_pod(const char *path, struct slice pod, const struct slice above[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		if (slice_is(above[i], KUBEPODS) || is_kubepods_slice(above[i]))
			return length_above(path, above[i]);
		if (!is_qos_slice(above[i]) && !slice_is(above[i], "burstable") &&
		    !slice_is(above[i], "besteffort"))
			break;
	}
	return length_above(path, pod);
}

/*
 * Finds the first pod. Then *path begins at the pod's component, which may also name the container.
 * Without a pod *path stays as it is.
 */
static bool find_pod(struct slice *path, struct cgroup_name *out)
{
	struct slice rest = *path, above[2] = {{"", 0}, {"", 0}}, part;

	while (next_part(&rest, &part)) {
		if (read_pod_slice(part, out) || read_pod_dir(part, above, out)) {
			out->place.root = root_of_pod(path->at, part, above);
			out->place.above = length_above(path->at, part);
			if (!slice_has(part, ':'))
				out->place.pod = length_with(path->at, part);
			path->len -= (size_t)(part.at - path->at);
			path->at = part.at;
			return true;
		}
		above[1] = above[0];
		above[0] = part;
	}
	return false;
}

static bool runtime_named(struct slice name, enum cgroup_runtime *runtime)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		if (slice_is(name, runtimes[i].name)) {
			*runtime = runtimes[i].runtime;
			return true;
		}
	}
	return false;
}

/* Reads <id>, <runtime>-<id> or [...]:<runtime>:<id>, with or without ".scope". */
static bool read_container(struct slice part, struct slice parent, struct cgroup_name *out)
{
	enum cgroup_runtime runtime = RUNTIME_UNKNOWN;
	struct slice name, word, id;

	slice_drop_suffix(&part, ".scope");
	if (part.len < CONTAINER_ID_LEN)
		return false;
	name = (struct slice){part.at, part.len - CONTAINER_ID_LEN};
	id = (struct slice){part.at + name.len, CONTAINER_ID_LEN};
	if (!container_id_valid(id))
		return false;

	if (name.len == 0) {
		if (slice_is(parent, PODMAN_PARENT))
			return false; /* a podman pod: its containers are in it */
		runtime_named(parent, &runtime);
	} else if (slice_drop_suffix(&name, ":")) {
		if (!slice_cut_last(&name, ':', &word) || !runtime_named(word, &runtime))
			return false;
	} else if (!slice_drop_suffix(&name, "-") || !runtime_named(name, &runtime)) {
		return false;
	}
	slice_copy(id, out->container_id, sizeof(out->container_id));
	out->runtime = runtime;
	return true;
}

/* Finds the first container in what is left of a path. */
static bool find_container(const char *path, struct slice rest, struct cgroup_name *out)
{
	struct slice parent = {"", 0}, part;

	while (next_part(&rest, &part)) {
		if (read_container(part, parent, out)) {
			if (!out->pod_uid[0])
				out->place.above = length_above(path, part);
			out->place.container = length_with(path, part);
			return true;
		}
		parent = part;
	}
	return false;
}

static void set_container_unit(struct cgroup_name *out)
{
	const char *runtime = cgroup_runtime_name(out->runtime);

	(void)snprintf(out->unit, sizeof(out->unit), "%s-%.*s", runtime[0] ? runtime : "container",
		       CONTAINER_ID_SHORT, out->container_id);
}

static int check_path(const char *path)
{
	struct slice rest = slice_of(path), part;

	if (path[0] != '/')
		return -EINVAL;
	if (strnlen(path, CGROUP_PATH_LIMIT) == CGROUP_PATH_LIMIT)
		return -ENAMETOOLONG;
	while (next_part(&rest, &part))
		if (slice_is(part, ".."))
			return -EINVAL;
	return 0;
}

int cgroup_path_parse(const char *path, struct cgroup_name *out)
{
	struct slice rest = slice_of(path);
	bool in_pod;
	int err;

	*out = (struct cgroup_name){0};
	err = check_path(path);
	if (err)
		return err;

	in_pod = find_pod(&rest, out);
	if (find_container(path, rest, out))
		out->kind = CGROUP_CONTAINER;
	else if (in_pod)
		out->kind = CGROUP_POD;
	else
		out->kind = unit_of_path(path, out->unit) ? CGROUP_UNIT : CGROUP_ROOT;

	if (out->kind == CGROUP_ROOT)
		memcpy(out->unit, UNIT_OF_ROOT, sizeof(UNIT_OF_ROOT));
	else if (out->kind == CGROUP_CONTAINER && !in_pod)
		set_container_unit(out);
	return 0;
}

const char *cgroup_kind_name(enum cgroup_kind kind)
{
	static const char *const names[] = {"", "root", "pod", "container", "unit"};

	return names[kind];
}

const char *cgroup_runtime_name(enum cgroup_runtime runtime)
{
	static const char *const names[] = {"", "containerd", "cri-o", "docker", "podman"};

	return names[runtime];
}

const char *cgroup_qos_name(enum cgroup_qos qos)
{
	static const char *const names[] = {"", "guaranteed", "burstable", "besteffort"};

	return names[qos];
}
