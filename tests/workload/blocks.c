/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: blocks vfork COUNT MS GO RESULT
 *        blocks read COUNT FILE GO RESULT
 *
 * Is in uninterruptible sleep, so often and for a time that it knows: as the parent in vfork(),
 * which sleeps for exactly as long as its child has its memory, here MS each time; or as the reader
 * of 64 KiB past the page cache.
 *
 * Waits until a byte can be read from the FIFO GO, and begins. Then it writes one line to the file
 * RESULT, and sleeps until it is killed:
 *
 *   COUNT BLOCKED_NS CHILDREN_NS
 *
 * BLOCKED_NS is the time that passed less what the kernel says that it ran and waited for a CPU, as
 * it did nothing else. CHILDREN_NS is how long the children were there, by their own clock.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define READ_SIZE  65536
#define ALIGNMENT  4096
#define STACK_SIZE 65536

struct times {
	int64_t passed_ns, ran_ns, waited_ns;
};

struct child {
	long ms;
	int64_t began_ns, ended_ns;
};

static char child_stack[STACK_SIZE] __attribute__((aligned(16)));

static void read_times(struct times *times)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "r");
	long long waited_ns;

	if (!file || fscanf(file, "%*u %lld", &waited_ns) != 1)
		die("schedstat");
	fclose(file);
	times->passed_ns = clock_ns(CLOCK_MONOTONIC);
	times->ran_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	times->waited_ns = waited_ns;
}

static int run_child(void *data)
{
	struct child *child = data;
	struct timespec t = {.tv_sec = child->ms / 1000, .tv_nsec = child->ms % 1000 * 1000000};

	child->began_ns = clock_ns(CLOCK_MONOTONIC);
	nanosleep(&t, NULL);
	child->ended_ns = clock_ns(CLOCK_MONOTONIC);
	return 0;
}

/* Returns how long the children were there. */
static int64_t wait_for_children(long count, long ms)
{
	int64_t sum_ns = 0;
	struct child child = {.ms = ms};
	pid_t pid;

	while (count--) {
		pid = clone(run_child, child_stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD,
			    &child);
		if (pid < 0)
			die("clone");
		waitpid(pid, NULL, 0);
		sum_ns += child.ended_ns - child.began_ns;
	}
	return sum_ns;
}

static int open_file(const char *path, off_t *size)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) || lseek(fd, 0, SEEK_END) < READ_SIZE)
		die(path);
	*size = lseek(fd, 0, SEEK_END) / READ_SIZE * READ_SIZE;
	return fd;
}

static void read_file(long count, const char *path)
{
	char *data = aligned_alloc(ALIGNMENT, READ_SIZE);
	off_t size, at = 0;
	int fd = open_file(path, &size);

	while (count--) {
		if (!data || pread(fd, data, READ_SIZE, at) != READ_SIZE)
			die(path);
		at = (at + READ_SIZE) % size;
	}
	free(data);
	close(fd);
}

int main(int argc, char **argv)
{
	long count = argc == 6 ? strtol(argv[2], NULL, 10) : 0;
	struct times from, to;
	int64_t children_ns = 0;
	char go;
	int fd;

	if (count < 1 || (strcmp(argv[1], "vfork") != 0 && strcmp(argv[1], "read") != 0)) {
		fputs("usage: blocks vfork|read COUNT MS|FILE GO RESULT\n", stderr);
		return 2;
	}
	fd = open(argv[4], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &go, 1) != 1)
		die(argv[4]);
	read_times(&from);
	if (strcmp(argv[1], "vfork") == 0)
		children_ns = wait_for_children(count, strtol(argv[3], NULL, 10));
	else
		read_file(count, argv[3]);
	read_times(&to);

	FILE *result = fopen(argv[5], "w");

	if (!result)
		die(argv[5]);
	fprintf(result, "%ld %lld %lld\n", count,
		(long long)(to.passed_ns - from.passed_ns - (to.ran_ns - from.ran_ns) -
			    (to.waited_ns - from.waited_ns)),
		(long long)children_ns);
	fclose(result);
	for (;;)
		pause();
}
