/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

#define FILE_MAX 4096

/* Reads a short file of a process or a task. They come and go: then it is empty. */
static bool read_of(struct buf *text, const char *procfs, const char *process, const char *name)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/%s/%s", procfs, process, name) <
		       sizeof(path) &&
	       !buf_read_file(text, path, FILE_MAX);
}

/* The line of cgroup v2, "0::PATH", as this process sees it. The caller frees it. */
static char *cgroup_of(const char *procfs, const char *process)
{
	struct buf text = {0};
	char *line = NULL, *at;

	if (read_of(&text, procfs, process, "cgroup")) {
		at = strncmp(text.data, "0::", 3) == 0 ? text.data : strstr(text.data, "\n0::");
		line = at ? strndup(at, strcspn(at + 1, "\n") + 1) : NULL;
	}
	buf_free(&text);
	return line;
}

static uint64_t run_delay_of(const char *procfs, const char *process, const char *task)
{
	struct buf text = {0};
	uint64_t delay_ns = 0;
	char name[64], *second;

	snprintf(name, sizeof(name), "task/%.20s/schedstat", task);
	if (read_of(&text, procfs, process, name)) {
		second = strchr(text.data, ' ');
		delay_ns = second ? strtoull(second, NULL, 10) : 0;
	}
	buf_free(&text);
	return delay_ns;
}

static uint64_t run_delay_of_process(const char *procfs, const char *process)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	uint64_t sum_ns = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%.20s/task", procfs, process);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			sum_ns += run_delay_of(procfs, process, entry->d_name);
	if (dir)
		closedir(dir);
	return sum_ns;
}

int tasks_run_delay(const char *procfs, uint64_t *ns)
{
	char *own = cgroup_of(procfs, "self"), *line;
	const struct dirent *entry;
	struct buf probe = {0};
	DIR *dir = opendir(procfs);
	int err = dir && own ? 0 : -ENOENT;

	*ns = 0;
	if (!err && !read_of(&probe, procfs, "self", "schedstat"))
		err = -EOPNOTSUPP;
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		line = cgroup_of(procfs, entry->d_name);
		if (line && strcmp(line, own) == 0)
			*ns += run_delay_of_process(procfs, entry->d_name);
		free(line);
	}
	if (dir)
		closedir(dir);
	buf_free(&probe);
	free(own);
	return err;
}
