/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/part.h"
#include "cgroup/unit.h"
#include "util/array.h"

#define UUID_LEN	 36
#define CONFIG_HASH_LEN	 32
#define CONTAINER_ID_LEN (CONTAINER_ID_SIZE - 1)
#define UNIT_OF_ROOT	 "root"

/* What runtimes put before the id, followed by '-' or between two ':'. */
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

static bool is_lower_hex_run(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_lower_hex(text[i]))
			return false;
	return true;
}

bool container_id_valid(const char *text, size_t len)
{
	return len == CONTAINER_ID_LEN && is_lower_hex_run(text, len);
}

bool pod_uid_read(const char *text, size_t len, char out[POD_UID_SIZE])
{
	char uid[POD_UID_SIZE] = "";

	if (len == CONFIG_HASH_LEN && is_lower_hex_run(text, len)) {
		memcpy(out, text, len);
		out[len] = '\0';
		return true;
	}
	if (len != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		bool separator = i == 8 || i == 13 || i == 18 || i == 23;

		if (separator ? text[i] != '-' && text[i] != '_' : !is_lower_hex(text[i]))
			return false;
		uid[i] = text[i];
		if (separator)
			uid[i] = '-';
	}
	memcpy(out, uid, sizeof(uid));
	return true;
}

/* Reads [...-]kubepods[-burstable|-besteffort]-pod<uid>.slice, and what may follow after ':'. */
static bool read_pod_slice(struct part part, struct cgroup_name *out)
{
	const char *colon = memchr(part.text, ':', part.len);
	enum cgroup_qos qos = QOS_GUARANTEED;
	size_t uid_at;

	if (colon)
		part.len = (size_t)(colon - part.text);
	if (!part_chop(&part, ".slice"))
		return false;

	/* A uid has no "-pod" in it, and its length is one of two. */
	for (uid_at = part.len; uid_at > 0; uid_at--)
		if (part_ends((struct part){part.text, uid_at}, "-pod"))
			break;
	if (!pod_uid_read(part.text + uid_at, part.len - uid_at, out->pod_uid))
		return false;
	part.len = uid_at;
	part_chop(&part, "-pod");
	if (part_chop(&part, "-burstable"))
		qos = QOS_BURSTABLE;
	else if (part_chop(&part, "-besteffort"))
		qos = QOS_BESTEFFORT;

	if (!part_is(part, KUBEPODS) && !part_ends(part, "-" KUBEPODS)) {
		out->pod_uid[0] = '\0';
		return false;
	}
	out->qos = qos;
	return true;
}

/* Reads pod<uid>; above[0] is its parent and above[1] its grandparent. */
static bool read_pod_dir(struct part part, const struct part above[2], struct cgroup_name *out)
{
	enum cgroup_qos qos = QOS_GUARANTEED;

	if (part_is(above[0], "burstable"))
		qos = QOS_BURSTABLE;
	else if (part_is(above[0], "besteffort"))
		qos = QOS_BESTEFFORT;

	if (!part_is(above[qos == QOS_GUARANTEED ? 0 : 1], KUBEPODS) || !part_starts(part, "pod"))
		return false;
	if (!pod_uid_read(part.text + 3, part.len - 3, out->pod_uid))
		return false;
	out->qos = qos;
	return true;
}

/*
 * Finds the first pod. Returns where its container is to be looked for: in the
 * pod's own component, which may name it; NULL if there is no pod.
 */
static const char *find_pod(const char *path, struct cgroup_name *out)
{
	struct part above[2] = {{"", 0}, {"", 0}};
	struct part part;

	while (next_part(&path, &part)) {
		if (read_pod_slice(part, out) || read_pod_dir(part, above, out))
			return part.text;
		above[1] = above[0];
		above[0] = part;
	}
	return NULL;
}

static bool runtime_named(struct part name, enum cgroup_runtime *runtime)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		if (part_is(name, runtimes[i].name)) {
			*runtime = runtimes[i].runtime;
			return true;
		}
	}
	return false;
}

/* Reads <id>, <runtime>-<id> or [...]:<runtime>:<id>, with or without ".scope". */
static bool read_container(struct part part, struct part parent, struct cgroup_name *out)
{
	enum cgroup_runtime runtime = RUNTIME_UNKNOWN;
	struct part name = {part.text, 0};
	const char *colon;
	const char *id;

	part_chop(&part, ".scope");
	if (part.len < CONTAINER_ID_LEN)
		return false;
	name.len = part.len - CONTAINER_ID_LEN;
	id = part.text + name.len;
	if (!container_id_valid(id, CONTAINER_ID_LEN))
		return false;

	if (name.len == 0) {
		if (part_is(parent, PODMAN_PARENT))
			return false; /* a pod of podman's: its containers are in it */
		runtime_named(parent, &runtime);
	} else if (part_chop(&name, ":")) {
		colon = memrchr(name.text, ':', name.len);
		if (!colon)
			return false;
		name.len -= (size_t)(colon + 1 - name.text);
		name.text = colon + 1;
		if (!runtime_named(name, &runtime))
			return false;
	} else if (!part_chop(&name, "-") || !runtime_named(name, &runtime)) {
		return false;
	}
	memcpy(out->container_id, id, CONTAINER_ID_LEN);
	out->runtime = runtime;
	return true;
}

static bool find_container(const char *path, struct cgroup_name *out)
{
	struct part parent = {"", 0};
	struct part part;

	while (next_part(&path, &part)) {
		if (read_container(part, parent, out))
			return true;
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
	struct part part;

	if (path[0] != '/')
		return -EINVAL;
	if (strnlen(path, CGROUP_PATH_LIMIT) == CGROUP_PATH_LIMIT)
		return -ENAMETOOLONG;
	while (next_part(&path, &part))
		if (part_is(part, ".."))
			return -EINVAL;
	return 0;
}

int cgroup_path_parse(const char *path, struct cgroup_name *out)
{
	const char *below_pod;
	int err;

	*out = (struct cgroup_name){0};
	err = check_path(path);
	if (err)
		return err;

	below_pod = find_pod(path, out);
	if (find_container(below_pod ? below_pod : path, out))
		out->kind = CGROUP_CONTAINER;
	else if (below_pod)
		out->kind = CGROUP_POD;
	else
		out->kind = unit_of_path(path, out->unit) ? CGROUP_UNIT : CGROUP_ROOT;

	if (out->kind == CGROUP_ROOT)
		memcpy(out->unit, UNIT_OF_ROOT, sizeof(UNIT_OF_ROOT));
	else if (out->kind == CGROUP_CONTAINER && !below_pod)
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
