/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/explain.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cgroup/claims.h"
#include "util/buf.h"
#include "util/utf8.h"

/* jansson takes UTF-8 only: other bytes are replaced. NULL without memory. */
static json_t *text_of(const char *text)
{
	struct buf clean = {0};
	json_t *value = NULL;
	size_t len;

	for (; *text; text += len ? len : 1) {
		len = utf8_len(text);
		if (len)
			buf_add(&clean, text, len);
		else
			buf_puts(&clean, "\xef\xbf\xbd");
	}
	if (!buf_failed(&clean))
		value = json_string(clean.data ? clean.data : "");
	buf_free(&clean);
	return value;
}

/* Adds the key, unless the text is empty. */
static int set_text(json_t *object, const char *key, const char *text)
{
	return text[0] ? json_object_set_new(object, key, json_string(text)) : 0;
}

static const char *why_not(int err)
{
	return err == -ENAMETOOLONG ? "longer than 4095 bytes"
				    : "not a path from the hierarchy's root: it must start with / "
				      "and have no .. in it";
}

/* What is said of a path that has a pod's shape. */
struct reading {
	struct cgroup_name name;
	char root[CGROUP_PATH_LIMIT];
	const char *because; /* NULL: it has no pod's shape */
};

/* Reads a path as it would be counted. Returns 0, -EINVAL, -ENAMETOOLONG or -ENOMEM. */
static int read_path(const struct pod_roots *roots, const char *path, struct reading *reading)
{
	struct claims claims = {.roots = *roots, .silent = true};
	struct cgroup_name *name = &reading->name;
	int err = cgroup_path_parse(path, name), only_root;
	struct claim *claim;

	if (err || !name->pod_uid[0])
		return err;
	snprintf(reading->root, sizeof(reading->root), "%.*s", name->place.root ?: 1, path);
	only_root = trust_only_root(roots, path, name->place.above);
	if (trust_path(roots, path, name) == TRUST_KUBELET) {
		reading->because = "kubelets have their pods below this cgroup_root, or "
				   "--kube.cgroup-root says so";
	} else if (only_root == 1) {
		reading->because = "only root can make cgroups there";
	} else if (only_root < 0) {
		reading->because = "if only root can make cgroups there, which is not known: they "
				   "are not on this machine";
	} else {
		reading->because = "it looks like a pod's, but not only root can make cgroups "
				   "there; if a kubelet makes them, say "
				   "--kube.cgroup-root=<cgroup_root>";
		err = claims_name(&claims, path, name, &claim);
		claims_drop(&claims, claim);
	}
	return err;
}

static int fill(json_t *object, const char *path, const struct reading *reading, int parse_err)
{
	int failed = json_object_set_new(object, "path", text_of(path));
	const struct cgroup_name *name = &reading->name;

	failed |= set_text(object, "kind", cgroup_kind_name(name->kind));
	failed |= set_text(object, "pod_uid", name->pod_uid);
	failed |= set_text(object, "container_id", name->container_id);
	failed |= set_text(object, "runtime", cgroup_runtime_name(name->runtime));
	failed |= set_text(object, "qos", cgroup_qos_name(name->qos));
	failed |= set_text(object, "unit", name->unit);
	if (reading->because) {
		failed |= json_object_set_new(object, "cgroup_root", text_of(reading->root));
		failed |= set_text(object, "because", reading->because);
	}
	if (parse_err)
		failed |= set_text(object, "error", why_not(parse_err));
	return failed ? -ENOMEM : 0;
}

int explain_path(const struct pod_roots *roots, const char *path, FILE *out)
{
	struct reading reading = {0};
	int parse_err = read_path(roots, path, &reading);
	json_t *object;
	char *text = NULL;
	int err;

	if (parse_err == -ENOMEM)
		return parse_err;
	object = json_object();
	if (!object)
		return -ENOMEM;
	err = fill(object, path, &reading, parse_err);
	if (!err)
		text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (!text)
		return -ENOMEM;
	if (fprintf(out, "%s\n", text) < 0)
		err = -EIO;
	free(text);
	return err ? err : parse_err;
}
