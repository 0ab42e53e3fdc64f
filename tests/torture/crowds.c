/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: crowds fsyncs FILE THREADS SECONDS     threads that live for one fsync of FILE, so many at
 * a time crowds threads DIR THREADS SECONDS     threads that work, sleep and wait for a CPU crowds
 * sockets DIR CONNECTIONS SECONDS connections over the loopback, all open at a time crowds moves
 * DIR THREADS SECONDS       processes that go to and fro between two cgroups in DIR crowds births
 * DIR PROCESSES SECONDS    processes that are born in a cgroup below DIR, so many at a time, and
 * never moved
 *
 * What one process without privileges can do to fill the places that all pods share. Ends at
 * SIGTERM, too. Prints how many fsyncs, threads, connections, moves or processes there were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define STACK (64 * 1024)

static const char *place;
static double until;
static atomic_long done;
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

static int goes_on(void)
{
	return !stopped && now(CLOCK_MONOTONIC) < until;
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	if (pthread_create(thread, &attr, run, arg))
		die("a thread");
	pthread_attr_destroy(&attr);
}

/* Nothing is written, so that an fsync takes no time of the disk. */
static void *fsync_once(void *arg)
{
	if (fsync((int)(intptr_t)arg) == 0)
		done++;
	return NULL;
}

static void fsyncs(int count)
{
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));
	int fd = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), i;

	if (fd < 0 || !threads)
		die(place);
	while (goes_on()) {
		for (i = 0; i < count; i++)
			start(&threads[i], fsync_once, (void *)(intptr_t)fd);
		for (i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
	}
}

static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(intptr_t)arg;

	done++;
	while (goes_on()) {
		for (volatile int i = 0; i < 20000; i++)
			;
		sleep_us(rand_r(&seed) % 20000);
	}
	return NULL;
}

static void threads(int count)
{
	pthread_t *list = calloc((size_t)count, sizeof(*list));
	int i;

	if (!list)
		die("memory");
	for (i = 0; i < count; i++)
		start(&list[i], work, (void *)(intptr_t)i);
	for (i = 0; i < count; i++)
		pthread_join(list[i], NULL);
}

/* A process may not have as many descriptors. */
#define CONNECTIONS_OF_ONE 9000

/* Opens so many connections, says how many to the result, and keeps them. */
static void keep_connections(int part, int count, int result)
{
	/* Each address has ports of its own. */
	const struct sockaddr_in from = {.sin_family = AF_INET,
					 .sin_addr.s_addr =
						 htonl(INADDR_LOOPBACK + 16 + (unsigned int)part)};
	struct sockaddr_in to = from;
	socklen_t len = sizeof(to);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), made, fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (listener < 0 || bind(listener, (struct sockaddr *)&to, len) || listen(listener, 1024) ||
	    getsockname(listener, (struct sockaddr *)&to, &len))
		die("a server on the loopback");
	for (made = 0; made < count && goes_on(); made++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof(from)) ||
		    connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
		    accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0)
			die("a connection");
	}
	(void)!write(result, &made, sizeof(made));
	while (goes_on())
		sleep_us(50000);
	_exit(0);
}

static void sockets(int count)
{
	struct rlimit limit;
	int results[2], of_one, part, parts = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (pipe(results))
		die("pipe");
	for (; count > 0; count -= CONNECTIONS_OF_ONE, parts++)
		if (fork() == 0)
			keep_connections(parts,
					 count < CONNECTIONS_OF_ONE ? count : CONNECTIONS_OF_ONE,
					 results[1]);
	close(results[1]);
	for (part = 0; part < parts; part++)
		if (read(results[0], &of_one, sizeof(of_one)) == sizeof(of_one))
			done += of_one;
	while (wait(NULL) > 0)
		;
}

/* Makes a cgroup and opens it. */
static int make(int dir, const char *name)
{
	if (mkdirat(dir, name, 0755) && errno != EEXIST)
		die(name);
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void go_to_and_fro(const int dirs[2], int result)
{
	long moves = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (goes_on())
		enter(dirs[++moves % 2]);
	(void)!write(result, &moves, sizeof(moves));
	_exit(0);
}

static void moves(int count)
{
	int dir = open_dir(AT_FDCWD, place), dirs[2] = {make(dir, "to"), make(dir, "fro")},
	    results[2], i;
	long of_one;

	if (pipe(results))
		die("pipe");
	for (i = 0; i < count; i++)
		if (fork() == 0)
			go_to_and_fro(dirs, results[1]);
	for (i = 0; i < count; i++)
		if (read(results[0], &of_one, sizeof(of_one)) == sizeof(of_one))
			done += of_one;
	while (wait(NULL) > 0)
		;
	remove_dir(dir, "to");
	remove_dir(dir, "fro");
}

static pid_t born_in(int dir)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)dir};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Each sleeps a number of times that is known. */
static void births(int count)
{
	int dir = open_dir(AT_FDCWD, place), child = make(dir, "born"), alive = 0;

	while (goes_on() || alive) {
		if (goes_on() && alive < count) {
			pid_t pid = born_in(child);

			if (pid < 0)
				die("clone3");
			if (pid == 0) {
				sleep_us(1000);
				_exit(0);
			}
			alive++;
			done++;
		} else if (wait(NULL) > 0) {
			alive--;
		}
	}
	remove_dir(dir, "born");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int count);
	} modes[] = {{"fsyncs", fsyncs},
		     {"threads", threads},
		     {"sockets", sockets},
		     {"moves", moves},
		     {"births", births}};
	size_t i;

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	for (i = 0; argc == 5 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		place = argv[2];
		until = now(CLOCK_MONOTONIC) + atof(argv[4]);
		modes[i].run(atoi(argv[3]));
		printf("%ld\n", (long)done);
		return 0;
	}
	fprintf(stderr, "usage: crowds fsyncs|threads|sockets|moves|births PLACE COUNT SECONDS\n");
	return 2;
}
