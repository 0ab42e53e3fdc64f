/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/array.h"

static const int signals[] = {SIGINT, SIGTERM, SIGALRM};

static void on_signal(int number)
{
	(void)number; /* it only ends waitpid() */
}

static void catch_signals(struct sigaction before[])
{
	const struct sigaction action = {.sa_handler = on_signal};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, &before[i]);
}

static void restore_signals(const struct sigaction before[])
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
}

/* Moves this process. Where that is not allowed, it stays. */
static void enter(const char *cgroup)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup) >= sizeof(path))
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		perror(path);
	close(fd);
}

/* The child's own children are gone a moment after it. */
static void leave(const char *cgroup)
{
	int tries = 50;

	while (rmdir(cgroup) && errno == EBUSY && tries--)
		usleep(20000);
}

static int wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0) {
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		return -EINTR;
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

int cage_run(const char *cgroupfs, int (*run)(void *context), void *context)
{
	struct sigaction before[ARRAY_SIZE(signals)];
	char cgroup[PATH_MAX];
	pid_t child;
	int err;

	if ((size_t)snprintf(cgroup, sizeof(cgroup), "%s/bramble-report-%d", cgroupfs,
			     (int)getpid()) >= sizeof(cgroup))
		return -ENAMETOOLONG;
	if (mkdir(cgroup, 0755))
		cgroup[0] = '\0';
	fflush(stdout);
	catch_signals(before);
	child = fork();
	if (!child) {
		restore_signals(before);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cgroup[0])
			enter(cgroup);
		err = run(context);
		fflush(stdout);
		_exit(-err);
	}
	err = child < 0 ? -errno : wait_for(child);
	restore_signals(before);
	if (cgroup[0])
		leave(cgroup);
	return err;
}
