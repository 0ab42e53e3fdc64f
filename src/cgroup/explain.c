/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/explain.h"

#include <errno.h>
#include <jansson.h>

#include "cgroup/path.h"
#include "util/buf.h"

/* jansson takes UTF-8 only. */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	struct buf clean = {0};

	if (value)
		return value;
	for (; *text; text++) {
		if ((unsigned char)*text < 0x80)
			buf_putc(&clean, *text);
		else
			buf_puts(&clean, "\xef\xbf\xbd");
	}
	if (!buf_failed(&clean))
		value = json_string(clean.data);
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

static int fill(json_t *object, const char *path, const struct cgroup_name *name, int parse_err)
{
	int failed = json_object_set_new(object, "path", text_of(path));

	failed |= set_text(object, "kind", cgroup_kind_name(name->kind));
	failed |= set_text(object, "pod_uid", name->pod_uid);
	failed |= set_text(object, "container_id", name->container_id);
	failed |= set_text(object, "runtime", cgroup_runtime_name(name->runtime));
	failed |= set_text(object, "qos", cgroup_qos_name(name->qos));
	failed |= set_text(object, "unit", name->unit);
	if (parse_err)
		failed |= set_text(object, "error", why_not(parse_err));
	return failed ? -ENOMEM : 0;
}

int explain_path(const char *path, FILE *out)
{
	struct cgroup_name name;
	int parse_err = cgroup_path_parse(path, &name);
	json_t *object = json_object();
	int err;

	if (!object)
		return -ENOMEM;
	err = fill(object, path, &name, parse_err);
	if (!err && (json_dumpf(object, out, JSON_COMPACT) || fputc('\n', out) == EOF))
		err = -EIO;
	json_decref(object);
	return err ? err : parse_err;
}
