/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Standard error goes to a file of the test's tree, where a test counts what was logged. */
#ifndef BRAMBLE_TEST_CAUGHT_LOG_H
#define BRAMBLE_TEST_CAUGHT_LOG_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"
#include "util/buf.h"

static char log_path[128];
static int saved_stderr = -1;

static inline void catch_log(void)
{
	int fd;

	(void)snprintf(log_path, sizeof(log_path), "%s/log", tree_root);
	fd = open(log_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0644);
	assert_true(fd >= 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static inline void release_log(void)
{
	if (saved_stderr < 0)
		return;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	saved_stderr = -1;
}

/* How many times this text is in the log. */
static inline unsigned int logged(const char *text)
{
	unsigned int count = 0;
	struct buf log;

	assert_int_equal(buf_read_file(&log, log_path, 1 << 20), 0);
	for (const char *at = log.data ? log.data : ""; (at = strstr(at, text)); at++)
		count++;
	buf_free(&log);
	return count;
}

#endif
