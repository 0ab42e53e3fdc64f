/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/filesystem.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/array.h"
#include "util/buf.h"
#include "util/mountinfo.h"
#include "util/utf8.h"

#define MOUNTINFO_MAX (4 << 20)

static const char *const places[] = {
	"/",
	"/var/lib/kubelet",
	"/var/lib/rancher", /* k3s, RKE2 */
	"/var/lib/containerd",
	"/var/lib/containers", /* CRI-O */
	"/var/lib/docker",
	"/var/snap/microk8s/common", /* MicroK8s */
	"/var/log/pods",
};
#define PLACES ARRAY_SIZE(places)

_Static_assert(PLACES <= FILESYSTEMS_MAX, "each place may be on a file system of its own");

/* statvfs() of a network file system waits for its server. A server that is away must not stop us.
 */
static bool is_remote(const char *type)
{
	static const char *const types[] = {"nfs",  "nfs4", "cifs", "smb3",
					    "ceph", "9p",   "afs",  "glusterfs"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return strncmp(type, "fuse", 4) == 0;
}

/* Whether a place is at a mount point or below it. */
static bool is_below(const char *place, const char *point)
{
	size_t len = strlen(point);

	if (len == 1)
		return true;
	return strncmp(place, point, len) == 0 && (place[len] == '\0' || place[len] == '/');
}

static bool is_listed(const struct filesystems *filesystems, const char *mountpoint)
{
	size_t i;

	for (i = 0; i < filesystems->count; i++)
		if (strcmp(filesystems->list[i].mountpoint, mountpoint) == 0)
			return true;
	return false;
}

static void free_strings(struct filesystem *filesystem)
{
	free(filesystem->mountpoint);
	free(filesystem->device);
	free(filesystem->type);
}

static void add(struct filesystems *filesystems, const struct mount_entry *mount)
{
	struct filesystem *filesystem = &filesystems->list[filesystems->count];

	if (!mount->source || is_remote(mount->type) || is_listed(filesystems, mount->point))
		return;
	*filesystem = (struct filesystem){
		.mountpoint = strdup(mount->point),
		.device = strdup(mount->source),
		.type = strdup(mount->type),
	};
	if (!filesystem->mountpoint || !filesystem->device || !filesystem->type) {
		free_strings(filesystem);
		return;
	}
	utf8_clean(filesystem->device);
	filesystems->count++;
}

/* A place is on the mount with the longest mount point above it, or on the last one of these. */
static void find(struct filesystems *filesystems, char *mountinfo)
{
	struct mount_entry mount, best[PLACES] = {0};
	char *line, *save = NULL;
	size_t i;

	for (line = strtok_r(mountinfo, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!mountinfo_split(line, &mount))
			continue;
		for (i = 0; i < PLACES; i++)
			if (is_below(places[i], mount.point) &&
			    (!best[i].point || strlen(mount.point) >= strlen(best[i].point)))
				best[i] = mount;
	}
	for (i = 0; i < PLACES; i++)
		if (best[i].point)
			add(filesystems, &best[i]);
}

/* Whether the first process has the same mounts as this one. */
static bool has_same_mounts(const char *procfs)
{
	char path[PATH_MAX];
	struct stat first, own;

	snprintf(path, sizeof(path), "%s/1/ns/mnt", procfs);
	return stat(path, &first) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	       first.st_ino == own.st_ino;
}

int filesystems_open_root(const char *procfs)
{
	char path[PATH_MAX];

	if (has_same_mounts(procfs))
		return -1;
	snprintf(path, sizeof(path), "%s/1/root", procfs);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void filesystems_open(struct filesystems *filesystems, const char *procfs, int root_fd)
{
	char path[PATH_MAX];
	struct buf text;

	*filesystems = (struct filesystems){0};
	snprintf(path, sizeof(path), "%s/1/mountinfo", procfs);
	if (root_fd >= 0 && buf_read_file(&text, path, MOUNTINFO_MAX) == 0) {
		snprintf(filesystems->root, sizeof(filesystems->root), "/proc/self/fd/%d", root_fd);
	} else {
		snprintf(path, sizeof(path), "%s/self/mountinfo", procfs);
		if (buf_read_file(&text, path, MOUNTINFO_MAX))
			return;
	}
	find(filesystems, text.data);
	buf_free(&text);
}

static void set(struct filesystem *filesystem, enum filesystem_value which, uint64_t value)
{
	filesystem->value[which] = value;
	filesystem->known[which] = true;
}

static void read_one(struct filesystem *filesystem, const char *root)
{
	char path[PATH_MAX];
	struct statvfs stat;

	memset(filesystem->known, 0, sizeof(filesystem->known));
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, filesystem->mountpoint) >=
		    sizeof(path) ||
	    statvfs(path, &stat))
		return;
	set(filesystem, FILESYSTEM_SIZE, (uint64_t)stat.f_blocks * stat.f_frsize);
	set(filesystem, FILESYSTEM_AVAILABLE, (uint64_t)stat.f_bavail * stat.f_frsize);
	if (stat.f_files) {
		set(filesystem, FILESYSTEM_FILES, stat.f_files);
		set(filesystem, FILESYSTEM_FILES_FREE, stat.f_ffree);
	}
	set(filesystem, FILESYSTEM_READONLY, (stat.f_flag & ST_RDONLY) != 0);
}

void filesystems_read(struct filesystems *filesystems)
{
	size_t i;

	for (i = 0; i < filesystems->count; i++)
		read_one(&filesystems->list[i], filesystems->root);
}

void filesystems_close(struct filesystems *filesystems)
{
	size_t i;

	for (i = 0; i < filesystems->count; i++)
		free_strings(&filesystems->list[i]);
	*filesystems = (struct filesystems){0};
}
