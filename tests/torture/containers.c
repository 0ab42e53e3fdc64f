/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: containers CGROUPS MARK COUNT PER_SECOND LIFE_MS FILES [LOGS]
 *
 * Containers that come and go, so many a second: cgroups CGROUPS/kubepods/burstable/pod<uid>/<id>,
 * as a kubelet makes them, each with a process moved into it. The process lives for LIFE_MS.
 * Meanwhile it sleeps SLEEPS times, makes one connection over the loopback and one fsync of a file
 * in FILES. Then its cgroups are removed. Uids begin with MARK, eight hex digits. In LOGS are the
 * log directories that give pod N its name, torture/t-N; each stays for KEEP_LOGS containers more,
 * and those of the last ones stay.
 *
 * Prints in the end, or at SIGTERM, what was done in the cgroups:
 *
 *   containers N fsyncs N connections N switches LEAST MOST
 *
 * A process cannot see its own last switches, nor those while it is being moved. So their number
 * lies between two.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define SLEEPS	   10
#define MOVED_MOST 4 /* switches of one process that neither it nor its parent can tell apart */
#define KEEP_LOGS  1000
#define PATH_SIZE  512

/* What a process tells of itself, in memory shared with its parent. */
struct report {
	long before, after; /* switches: in its cgroup, and at its end */
	int fsyncs, connections;
};

struct container {
	pid_t pid;
	int removed;
	char uid[40], id[72];
};

static struct container *containers;
static struct report *reports;
static const char *cgroups, *mark, *files, *logs;
static struct sockaddr_in server;
static int life_ms;
static volatile sig_atomic_t stopped;

static void sleep_ms(double ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000),
			     .tv_nsec = (long)(ms * 1e6) % 1000000000};

	nanosleep(&t, NULL);
}

static long switches(const struct rusage *usage)
{
	return usage->ru_nvcsw + usage->ru_nivcsw;
}

static long own_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return switches(&usage);
}

/* Answers a byte with a byte. It stays in this program's own cgroup. */
static void serve(int listener)
{
	char byte;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
			(void)!read(fd, &byte, 1); /* the client's end */
		close(fd);
	}
}

static pid_t start_server(void)
{
	socklen_t len = sizeof(server);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&server, len) ||
	    listen(listener, 4096) || getsockname(listener, (struct sockaddr *)&server, &len))
		die("a server on the loopback");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(listener);
	}
	close(listener);
	return pid;
}

static int connect_once(void)
{
	char byte = 'a';
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), good;

	good = fd >= 0 && !connect(fd, (struct sockaddr *)&server, sizeof(server));
	if (good && write(fd, &byte, 1) == 1)
		(void)!read(fd, &byte, 1);
	close(fd);
	return good;
}

static int fsync_once(int number)
{
	char path[PATH_SIZE];
	int fd, good;

	snprintf(path, sizeof(path), "%s/%d", files, number % 64);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	good = fd >= 0 && pwrite(fd, &number, sizeof(number), 0) == sizeof(number) && !fsync(fd);
	close(fd);
	return good;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), good;

	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

static void pod_path(char path[PATH_SIZE], const struct container *c, const char *below)
{
	snprintf(path, PATH_SIZE, "%s/kubepods/burstable/pod%s%s%s", cgroups, c->uid,
		 *below ? "/" : "", below);
}

/* The process of a container. */
static void live(int number)
{
	struct container *c = &containers[number];
	char path[PATH_SIZE], below[96];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(below, sizeof(below), "%s/cgroup.procs", c->id);
	pod_path(path, c, below);
	if (!write_file(path, "0"))
		die(path);
	reports[number].before = own_switches();
	for (int i = 0; i < SLEEPS; i++) {
		sleep_ms((double)life_ms / SLEEPS);
		if (i == SLEEPS / 3)
			reports[number].connections = connect_once();
		if (i == SLEEPS / 2)
			reports[number].fsyncs = fsync_once(number);
	}
	reports[number].after = own_switches();
	_exit(0);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) && errno != EEXIST)
		die(path);
}

static void log_path(char path[PATH_SIZE], int number, const char *below)
{
	snprintf(path, PATH_SIZE, "%s/torture_t-%d_%s%s", logs, number, containers[number].uid,
		 below);
}

static void make_logs(int number)
{
	char path[PATH_SIZE];
	int fd;

	log_path(path, number, "");
	make_dir(path);
	log_path(path, number, "/main");
	make_dir(path);
	log_path(path, number, "/main/0.log");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		die(path);
	close(fd);
}

static void remove_logs(int number)
{
	char path[PATH_SIZE];

	log_path(path, number, "/main/0.log");
	unlink(path);
	log_path(path, number, "/main");
	rmdir(path);
	log_path(path, number, "");
	rmdir(path);
}

static void start(int number)
{
	struct container *c = &containers[number];
	char path[PATH_SIZE];

	snprintf(c->uid, sizeof(c->uid), "%s-0000-4000-8000-%012x", mark, (unsigned int)number);
	snprintf(c->id, sizeof(c->id), "%s%056x", mark, (unsigned int)number);
	if (logs) {
		make_logs(number);
		if (number >= KEEP_LOGS)
			remove_logs(number - KEEP_LOGS);
	}
	pod_path(path, c, "");
	make_dir(path);
	pod_path(path, c, c->id);
	make_dir(path);
	c->pid = fork();
	if (c->pid < 0)
		die("fork");
	if (c->pid == 0)
		live(number);
}

static struct {
	long containers, fsyncs, connections, least, most;
} done;

static void end(int number, const struct rusage *usage)
{
	struct report *r = &reports[number];

	containers[number].pid = 0;
	done.containers++;
	done.fsyncs += r->fsyncs;
	done.connections += r->connections;
	done.least += r->after - r->before;
	done.most += switches(usage) - r->before + MOVED_MOST;
}

/* Whether both of its cgroups are gone. A process that was reaped may take a moment to leave. */
static int remove_cgroups(struct container *c)
{
	char path[PATH_SIZE];

	pod_path(path, c, c->id);
	if (rmdir(path) && errno != ENOENT)
		return 0;
	pod_path(path, c, "");
	if (rmdir(path) && errno != ENOENT)
		return 0;
	return c->removed = 1;
}

/* Reaps what has ended among those from first on, and removes what can be removed. */
static void clean(int first, int last)
{
	struct rusage usage;
	int status;

	for (int i = first; i < last; i++) {
		struct container *c = &containers[i];

		if (c->pid > 0 && wait4(c->pid, &status, WNOHANG, &usage) == c->pid)
			end(i, &usage);
		if (c->pid == 0 && !c->removed)
			remove_cgroups(c);
	}
}

static void stop(int signal)
{
	stopped = signal;
}

static void run(int count, double per_second)
{
	double begin = now(CLOCK_MONOTONIC);
	int first = 0, started = 0;

	while (first < started || (started < count && !stopped)) {
		while (started < count && !stopped &&
		       now(CLOCK_MONOTONIC) >= begin + (double)started / per_second)
			start(started++);
		clean(first, started);
		while (first < started && containers[first].removed)
			first++;
		sleep_ms(2);
	}
}

int main(int argc, char **argv)
{
	char path[PATH_SIZE];
	int count;
	pid_t pid;

	if (argc < 7 || argc > 8 || strlen(argv[2]) != 8) {
		fprintf(stderr, "usage: containers CGROUPS MARK COUNT PER_SECOND LIFE_MS FILES "
				"[LOGS]\n");
		return 2;
	}
	cgroups = argv[1];
	mark = argv[2];
	count = atoi(argv[3]);
	life_ms = atoi(argv[5]);
	files = argv[6];
	logs = argv[7];
	containers = calloc((size_t)count, sizeof(*containers));
	reports = mmap(NULL, (size_t)count * sizeof(*reports), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!containers || reports == MAP_FAILED)
		die("memory");
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	pid = start_server();
	snprintf(path, sizeof(path), "%s/kubepods", cgroups);
	make_dir(path);
	snprintf(path, sizeof(path), "%s/kubepods/burstable", cgroups);
	make_dir(path);
	run(count, atof(argv[4]));
	kill(pid, SIGKILL);
	printf("containers %ld fsyncs %ld connections %ld switches %ld %ld\n", done.containers,
	       done.fsyncs, done.connections, done.least, done.most);
	return 0;
}
