/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: direct read|write FILE COUNT SIZE
 *
 * Reads or writes COUNT times SIZE bytes of a file or device, one after another
 * and past the page cache: each is a request to the device.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More than the block size of any device here. */
#define ALIGNMENT 4096

int main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: direct read|write FILE COUNT SIZE\n");
		return 2;
	}

	int writes = strcmp(argv[1], "write") == 0;
	long count = atol(argv[3]), size = atol(argv[4]);
	int fd = open(argv[2], (writes ? O_WRONLY : O_RDONLY) | O_DIRECT);
	char *data = aligned_alloc(ALIGNMENT, (size_t)size);

	if (fd < 0 || !data) {
		perror(argv[2]);
		return 1;
	}
	memset(data, 'd', (size_t)size);
	for (long i = 0; i < count; i++) {
		ssize_t done = writes ? pwrite(fd, data, (size_t)size, i * size)
				      : pread(fd, data, (size_t)size, i * size);

		if (done != size) {
			perror(argv[1]);
			return 1;
		}
	}
	return 0;
}
