/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "util/array.h"
#include "util/ascii.h"
#include "util/buf.h"

#define DOCKER_CONFIG "%s/var/lib/docker/containers/%s/config.v2.json"
#define FILE_MAX      ((size_t)1 << 20)

/* This is the name of the sum of containers without series of their own. */
#define NAME_TAKEN    "other"

/* Includes those of users: rootless containers. */
static const char *const podman_stores[] = {
	"/var/lib/containers/storage",
	"/run/containers/storage",
	"/home/*/.local/share/containers/storage",
	"/run/user/*/containers",
};

/*
 * The files of a store. They are not looked for by a pattern: a user could put thousands there that
 * match it.
 */
static const char *const podman_drivers[] = {"overlay", "vfs", "btrfs", "zfs"};
static const char *const podman_lists[] = {"containers.json", "volatile-containers.json"};

typedef int (*read_fn)(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE]);

static bool name_char_valid(char c)
{
	return ascii_alnum(c) || c == '_' || c == '.' || c == '-';
}

/* Copies a name of the characters that both programs allow. */
static int copy_name(const char *name, char out[PLAIN_NAME_SIZE])
{
	size_t len = strlen(name);

	if (!len)
		return -ENOENT;
	if (strcmp(name, NAME_TAKEN) == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!name_char_valid(name[i]))
			return -EINVAL;
	(void)snprintf(out, PLAIN_NAME_SIZE, "%s", name);
	return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int plain_read_docker(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE])
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const char *name = text_of(root, "Name");
	int err;

	if (!root)
		return -EINVAL;
	err = strcmp(text_of(root, "ID"), id) == 0 ? copy_name(name + (name[0] == '/'), out)
						   : -ENOENT;
	json_decref(root);
	return err;
}

int plain_read_podman(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE])
{
	json_t *root = json_loadb(text, len, 0, NULL);
	const json_t *container;
	size_t i;
	int err = root ? -ENOENT : -EINVAL;

	json_array_foreach(root, i, container) {
		const char *name =
			json_string_value(json_array_get(json_object_get(container, "names"), 0));

		if (strcmp(text_of(container, "id"), id) != 0)
			continue;
		err = copy_name(name ? name : "", out);
		break;
	}
	json_decref(root);
	return err;
}

/* Reads it only if it is a regular file. Something else that a user put there must not block us. */
static int read_file(const char *path, read_fn read_name, const char *id, char out[PLAIN_NAME_SIZE])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct buf text = {0};
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = -EINVAL;
	else
		err = buf_read_fd(&text, fd, FILE_MAX);
	close(fd);
	if (!err)
		err = text.len ? read_name(text.data, text.len, id, out) : -EINVAL;
	buf_free(&text);
	return err;
}

static int look_in_store(const char *store, const char *id, char out[PLAIN_NAME_SIZE])
{
	char path[PATH_MAX];
	int err = -ENOENT;

	for (size_t i = 0; err && i < ARRAY_SIZE(podman_drivers); i++)
		for (size_t f = 0; err && f < ARRAY_SIZE(podman_lists); f++) {
			(void)snprintf(path, sizeof(path), "%s/%s-containers/%s", store,
				       podman_drivers[i], podman_lists[f]);
			err = read_file(path, plain_read_podman, id, out);
		}
	return err;
}

static int find_podman(const char *root, const char *id, char out[PLAIN_NAME_SIZE])
{
	int err = -ENOENT;

	for (size_t i = 0; err && i < ARRAY_SIZE(podman_stores); i++) {
		char pattern[PATH_MAX];
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s%s", root, podman_stores[i]);
		if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
			for (size_t f = 0; err && f < found.gl_pathc; f++)
				err = look_in_store(found.gl_pathv[f], id, out);
		globfree(&found);
	}
	return err;
}

static int find_docker(const char *root, const char *id, char out[PLAIN_NAME_SIZE])
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), DOCKER_CONFIG, root, id);
	return read_file(path, plain_read_docker, id, out);
}

int plain_find(const char *root, enum cgroup_runtime runtime, const char *id,
	       char out[PLAIN_NAME_SIZE])
{
	int err = -ENOENT;

	if (runtime == RUNTIME_DOCKER || runtime == RUNTIME_UNKNOWN)
		err = find_docker(root, id, out);
	else if (runtime == RUNTIME_PODMAN)
		err = find_podman(root, id, out);
	if (!err)
		return 0;
	(void)snprintf(out, PLAIN_NAME_SIZE, "%.*s", CONTAINER_ID_SHORT, id);
	return -ENOENT;
}
