/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_TEST_FDS_H
#define BRAMBLE_TEST_FDS_H

#include <fcntl.h>
#include <stddef.h>

/* How many files this process has open. */
static inline size_t count_fds(void)
{
	size_t count = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			count++;
	return count;
}

#endif
