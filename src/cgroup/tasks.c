/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct count {
	char path[PATH_MAX]; /* of the cgroup that is looked at */
	unsigned int left;   /* cgroups */
	int64_t tasks;
};

/* One line each. The file comes in parts. */
static int64_t count_lines(int fd)
{
	char text[4096];
	int64_t lines = 0;
	ssize_t len = 0, i;

	while (lines < CGROUP_TASKS_MAX && (len = read(fd, text, sizeof(text))) > 0)
		for (i = 0; i < len; i++)
			lines += text[i] == '\n';
	return len < 0 ? -errno : lines;
}

static int count_own(struct count *count)
{
	size_t len = strlen(count->path);
	int64_t tasks;
	int fd;

	if (len + sizeof("/cgroup.threads") > sizeof(count->path))
		return -ENAMETOOLONG;
	memcpy(count->path + len, "/cgroup.threads", sizeof("/cgroup.threads"));
	fd = open(count->path, O_RDONLY | O_CLOEXEC);
	count->path[len] = '\0';
	if (fd < 0)
		return -errno;
	tasks = count_lines(fd);
	close(fd);
	if (tasks < 0)
		return (int)tasks;
	count->tasks += tasks;
	return count->tasks < CGROUP_TASKS_MAX ? 0 : -E2BIG;
}

static int count_all(struct count *count);

/* The cgroups in one that has some. */
static int count_below(struct count *count)
{
	size_t len = strlen(count->path);
	DIR *dir = opendir(count->path);
	const struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(count->path + len, sizeof(count->path) - len, "/%s", entry->d_name) >=
		    (int)(sizeof(count->path) - len))
			err = -ENAMETOOLONG;
		err = err ?: count_all(count);
		count->path[len] = '\0';
	}
	closedir(dir);
	return err;
}

/* A directory has as many links as it has directories in it, and two (fs/kernfs/inode.c). */
static int count_all(struct count *count)
{
	struct stat status;
	int err;

	if (!count->left--)
		return -E2BIG;
	err = count_own(count);
	if (!err && stat(count->path, &status))
		err = -errno;
	if (!err && status.st_nlink > 2)
		err = count_below(count);
	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

int64_t cgroup_count_tasks(const char *mount, const char *path)
{
	struct count count = {.left = CGROUP_TASKS_CGROUPS_MAX};
	int err;

	if (snprintf(count.path, sizeof(count.path), "%s%s", mount, path) >=
	    (int)sizeof(count.path))
		return -ENAMETOOLONG;
	err = count_all(&count);
	return err ? err : count.tasks;
}
