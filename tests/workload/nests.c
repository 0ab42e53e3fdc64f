/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: nests DIRECTORY COUNT
 *
 * Makes COUNT cgroups in a cgroup's directory, and sleeps a little in each. Goes back to the first
 * directory, prints "done" and sleeps on, a millisecond at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void sleep_us(long us)
{
	struct timespec t = {.tv_nsec = us * 1000};

	nanosleep(&t, NULL);
}

static int join(const char *cgroup)
{
	char path[PATH_MAX];
	int fd, err;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	err = write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	int i, count;

	if (argc != 3) {
		fprintf(stderr, "usage: nests DIRECTORY COUNT\n");
		return 2;
	}
	count = atoi(argv[2]);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/nest-%d", argv[1], i);
		if (mkdir(path, 0755) || join(path)) {
			fprintf(stderr, "%s: %s\n", path, strerror(errno));
			return 1;
		}
		sleep_us(200);
	}
	if (count && join(argv[1])) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	puts("done");
	fflush(stdout);
	for (;;)
		sleep_us(1000);
}
