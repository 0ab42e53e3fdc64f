/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kernel/mounts.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel/features.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/mountinfo.h"

/* Inode numbers of the first namespaces: include/linux/proc_ns.h, the same since 3.8 and 4.6. */
#define FIRST_CGROUP_NS 0xeffffffbU
#define FIRST_PID_NS	0xeffffffcU

#define MOUNTINFO_MAX	(4 << 20)

/* options: separated by commas, or NULL. Skips "rw" and "ro", which belong to a mount. */
static int set_options(int fs, char *options)
{
	char *option, *save = NULL;

	for (option = options ? strtok_r(options, ",", &save) : NULL; option;
	     option = strtok_r(NULL, ",", &save)) {
		if (strcmp(option, "rw") == 0 || strcmp(option, "ro") == 0)
			continue;
		if (fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0))
			return -errno;
	}
	return 0;
}

/* Mounts a file system read-only, at no directory. Returns a descriptor or a negative errno. */
static int mount_nowhere(const char *type, char *options)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC), fd = -1, err;

	if (fs < 0)
		return -errno;
	err = set_options(fs, options);
	if (!err && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err = -errno;
	if (!err) {
		fd = fsmount(fs, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC);
		err = fd < 0 ? -errno : 0;
	}
	close(fs);
	return err ? err : fd;
}

/* Keeps a mount, and writes its path. */
static int keep(struct mounts *mounts, int fd, const char *procfs, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/self/fd/%d", procfs, fd) >= PATH_MAX) {
		close(fd);
		return -ENAMETOOLONG;
	}
	mounts->fd[mounts->fds++] = fd;
	return 0;
}

static void set_usual_tracefs(const struct mount_places *places, struct mounts *mounts)
{
	snprintf(mounts->tracefs, PATH_MAX, "%s/kernel/tracing", places->sysfs);
}

/*
 * A kernel that is locked down to confidentiality has nothing in tracefs, and lets no program read
 * its memory. When tracefs is unmounted there, Debian's 6.12 crashes with "kernel BUG at
 * lib/list_debug.c". So it is not mounted.
 */
static int mount_tracefs(const struct mount_places *places, struct mounts *mounts)
{
	int fd, err = feature_reads_kernel();
	char path[PATH_MAX];

	set_usual_tracefs(places, mounts);
	if (err == 0)
		mounts->tracefs_err = -EPERM;
	if (err == 0 || err == -EPERM)
		return err;
	fd = mount_nowhere("tracefs", NULL);
	if (fd < 0)
		return fd;
	err = keep(mounts, fd, places->procfs, path);
	if (err)
		return err;
	mounts->tracefs_err = feature_tracefs(places->sysfs, path, mounts->tracefs);
	/* In a message that something may not be read, the path of a descriptor would say nothing.
	 */
	if (mounts->tracefs_err)
		set_usual_tracefs(places, mounts);
	return 0;
}

static bool is_namespace(const char *procfs, const char *file, ino_t first)
{
	char path[PATH_MAX];
	struct stat st;

	return (size_t)snprintf(path, sizeof(path), "%s/%s", procfs, file) < sizeof(path) &&
	       stat(path, &st) == 0 && st.st_ino == first;
}

/*
 * The options with which the machine has mounted cgroup v2, as process 1 sees them. This process
 * may not see them (in a chroot, for example). *v1: there is version 1. *options: free() it; NULL
 * if there is no version 2. Returns 0, or a negative errno if it is not known.
 */
static int machine_options(const char *procfs, bool *v1, char **options)
{
	char path[PATH_MAX], *line, *save = NULL;
	struct mount_entry mount;
	struct buf text;
	int err;

	*options = NULL;
	if ((size_t)snprintf(path, sizeof(path), "%s/1/mountinfo", procfs) >= sizeof(path))
		return -ENAMETOOLONG;
	err = buf_read_file(&text, path, MOUNTINFO_MAX);
	if (err)
		return err;
	for (line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!mountinfo_split(line, &mount))
			continue;
		if (strcmp(mount.type, "cgroup") == 0)
			*v1 = true;
		else if (strcmp(mount.type, "cgroup2") == 0 && !*options && !err)
			err = (*options = strdup(mount.options ? mount.options : "")) ? 0 : -ENOMEM;
	}
	buf_free(&text);
	return err;
}

/*
 * The options of cgroup2 (nsdelegate and others) apply to the whole machine. Each mount in the
 * first cgroup namespace sets them: apply_cgroup_root_flags() in kernel/cgroup/cgroup.c. So they
 * must be known, and this mount repeats them.
 */
static int mount_cgroup2(const struct mount_places *places, struct mounts *mounts)
{
	bool first = is_namespace(places->procfs, "self/ns/cgroup", FIRST_CGROUP_NS);
	struct cgroup2_mount found;
	bool v1 = false;
	char *options, path[PATH_MAX];
	int fd, err;

	/* Process 1 shows the machine's mounts if procfs belongs to the first pid namespace. */
	if (first && !is_namespace(places->procfs, "self/ns/pid", FIRST_PID_NS) &&
	    !is_namespace(places->procfs, "1/ns/pid", FIRST_PID_NS))
		return -EBUSY;
	err = machine_options(places->procfs, &v1, &options);
	if (err && first) /* else its options would be taken away */
		return err;
	if (v1 && !options) {
		mounts->cgroup2.v1 = true; /* alone */
		return 0;
	}
	fd = mount_nowhere("cgroup2", first ? options : NULL);
	free(options);
	if (fd < 0)
		return fd;
	err = keep(mounts, fd, places->procfs, path);
	err = err ?: cgroup2_find(places->procfs, path, &found);
	if (err)
		return err;
	mounts->cgroup2 = found;
	mounts->cgroup2.v1 = v1;
	mounts->cgroup2_err = 0;
	return 0;
}

/* A tree that was recorded on another machine lacks what that machine lacked. */
static bool is_real(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == magic;
}

void mounts_find(const struct mount_places *places, struct mounts *out)
{
	bool may_mount =
		is_real(places->procfs, PROC_SUPER_MAGIC) && is_real(places->sysfs, SYSFS_MAGIC);

	*out = (struct mounts){0};
	out->cgroup2_err = cgroup2_find(places->procfs, places->cgroupfs, &out->cgroup2);
	if (out->cgroup2_err == -ENOENT && !out->cgroup2.v1 && !places->cgroupfs && may_mount) {
		out->own_cgroup2_err = mount_cgroup2(places, out);
		out->own_cgroup2 = !out->cgroup2_err;
	}
	out->tracefs_err = feature_tracefs(places->sysfs, places->tracefs, out->tracefs);
	if (out->tracefs_err == -ENOENT && !places->tracefs && may_mount) {
		out->own_tracefs_err = mount_tracefs(places, out);
		out->own_tracefs = !out->tracefs_err;
	}
}

void mounts_log_own(const struct mounts *mounts)
{
	if (mounts->own_tracefs || mounts->own_cgroup2)
		log_info("%s%s%s %s not mounted: bramble mounts %s for itself; no other process "
			 "sees "
			 "that, and nothing of it stays",
			 mounts->own_tracefs ? "tracefs" : "",
			 mounts->own_tracefs && mounts->own_cgroup2 ? " and " : "",
			 mounts->own_cgroup2 ? "cgroup v2" : "",
			 mounts->own_tracefs && mounts->own_cgroup2 ? "are" : "is",
			 mounts->own_tracefs && mounts->own_cgroup2 ? "them" : "it");
}

void mounts_close(struct mounts *mounts)
{
	while (mounts->fds)
		close(mounts->fd[--mounts->fds]);
}
