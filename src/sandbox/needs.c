/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sandbox/needs.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/array.h"

/* Frees nothing of the caller's. copy is owned by the list from now on. */
static void add(struct sandbox_needs *needs, char *copy, unsigned int access)
{
	struct sandbox_path *grown =
		realloc(needs->paths, (needs->path_count + 1) * sizeof(*needs->paths));

	if (!copy || !grown) {
		needs->failed = true;
		free(copy);
	}
	if (grown)
		needs->paths = grown;
	if (copy && grown)
		needs->paths[needs->path_count++] = (struct sandbox_path){copy, access};
}

void sandbox_need(struct sandbox_needs *needs, const char *path, unsigned int access)
{
	if (path && path[0])
		add(needs, strdup(path), access);
}

void sandbox_need_later(struct sandbox_needs *needs, const char *path, unsigned int access)
{
	char above[PATH_MAX], *slash;

	sandbox_need(needs, path, access);
	snprintf(above, sizeof(above), "%s", path);
	do {
		slash = strrchr(above, '/');
		if (slash && slash != above)
			*slash = '\0';
	} while (slash && slash != above && faccessat(AT_FDCWD, above, F_OK, AT_EACCESS));
	if (slash && slash != above)
		sandbox_need(needs, above, access);
}

/* The directory of a path: "/" for "/x", "." for "x". */
static void need_directory_of(struct sandbox_needs *needs, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		add(needs, strdup("."), SANDBOX_READ);
	else
		add(needs, len ? strndup(path, len) : strdup("/"), SANDBOX_READ);
}

void sandbox_need_file(struct sandbox_needs *needs, const char *path)
{
	char real[PATH_MAX];

	if (!path || !path[0])
		return;
	/* Landlock allows it by its directory. But its mode may ask for a capability. */
	sandbox_need(needs, path, SANDBOX_READ);
	need_directory_of(needs, path);
	if (realpath(path, real))
		need_directory_of(needs, real);
}

/* Whether a path, its links followed, belongs to the same user as what is in place of the "*". */
static bool is_of_owner(const char *pattern, const char *path)
{
	size_t len = strcspn(pattern, "*");
	struct stat owner, st;
	char above[PATH_MAX];

	len += strcspn(path + len, "/");
	if (len >= sizeof(above))
		return false;
	memcpy(above, path, len);
	above[len] = '\0';
	return stat(above, &owner) == 0 && stat(path, &st) == 0 && owner.st_uid == st.st_uid;
}

void sandbox_need_matching(struct sandbox_needs *needs, const char *pattern, unsigned int access)
{
	glob_t found;
	size_t i;

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (i = 0; i < found.gl_pathc; i++)
			if (is_of_owner(pattern, found.gl_pathv[i]))
				sandbox_need(needs, found.gl_pathv[i], access);
	globfree(&found);
}

void sandbox_need_names(struct sandbox_needs *needs)
{
	/* glibc's: resolver(5), hosts(5), nsswitch.conf(5), gai.conf(5), services(5). */
	static const char *const files[] = {"/etc/hosts",    "/etc/host.conf", "/etc/nsswitch.conf",
					    "/etc/gai.conf", "/etc/services",  "/etc/resolv.conf"};
	char real[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		sandbox_need(needs, files[i], SANDBOX_READ);
	/* A DHCP client or systemd-resolved replaces it. */
	if (realpath("/etc/resolv.conf", real) && strncmp(real, "/etc/", 5) != 0)
		need_directory_of(needs, real);
	sandbox_need_port(needs, 53);
}

void sandbox_need_port(struct sandbox_needs *needs, uint16_t port)
{
	if (port && needs->port_count < SANDBOX_PORTS_MAX)
		needs->ports[needs->port_count++] = port;
}

void sandbox_needs_free(struct sandbox_needs *needs)
{
	while (needs->path_count)
		free(needs->paths[--needs->path_count].path);
	free(needs->paths);
	*needs = (struct sandbox_needs){0};
}
