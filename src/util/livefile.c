/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/livefile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int live_open(const char *dir, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t live_read(int fd, char *text, size_t size)
{
	ssize_t len;

	do
		len = pread(fd, text, size - 1, 0);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	return len;
}

ssize_t live_read_once(const char *dir, const char *name, char *text, size_t size)
{
	int fd = live_open(dir, name);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = live_read(fd, text, size);
	close(fd);
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return len;
}

static int parse_number(const char *text, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	if (errno)
		return -errno;
	return end == text || !strchr(" \n", *end) ? -EINVAL : 0;
}

int live_read_number(int fd, int64_t *number)
{
	char text[32];
	ssize_t len = live_read(fd, text, sizeof(text));

	return len < 0 ? (int)len : parse_number(text, number);
}

int live_read_number_once(const char *dir, const char *name, int64_t *number)
{
	char text[32];
	ssize_t len = live_read_once(dir, name, text, sizeof(text));

	return len < 0 ? (int)len : parse_number(text, number);
}

bool line_number(const char *text, const char *word, uint64_t *number)
{
	size_t len = strlen(word);
	const char *at = text;
	char *end;

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, word, len) != 0 || !strchr(" \t", at[len]) || !at[len])
			continue;
		*number = strtoull(at + len, &end, 10);
		return end != at + len;
	}
	return false;
}
