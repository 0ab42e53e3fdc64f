/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the attacks' programs share: a clock, sleep, and what a process can do in its own cgroup. */
#ifndef BRAMBLE_TORTURE_ATTACK_H
#define BRAMBLE_TORTURE_ATTACK_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

/* In seconds. */
static inline double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void sleep_us(long us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/* parent: AT_FDCWD for a path. */
static inline int open_dir(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(name);
	return fd;
}

/* Moves this process into a cgroup. */
static inline void enter(int dir)
{
	int fd = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		die("cgroup.procs");
	close(fd);
}

/* A cgroup whose task has just left or ended may be busy for a moment. */
static inline void remove_dir(int parent, const char *name)
{
	for (int tries = 0; unlinkat(parent, name, AT_REMOVEDIR) && tries < 1000; tries++) {
		if (errno != EBUSY)
			break;
		sleep_us(1000);
	}
}

#endif
