/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

void output_open_standard(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* The lowest free number is this one; it stays open. Not O_CLOEXEC, as it
			 * stands for a standard stream. */
			(void)open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

int output_flush(FILE *out)
{
	bool failed = ferror(out);
	int err;

	errno = 0;
	if (fflush(out) == 0 && !failed)
		return 0;
	/* An earlier write failed. Another one fails in the same way. */
	if (!errno && fputc('\n', out) != EOF)
		(void)fflush(out);
	err = errno ? -errno : -EIO;
	log_error("cannot write to standard output: %s", strerror(-err));
	__fpurge(out);
	clearerr(out);
	return err;
}
