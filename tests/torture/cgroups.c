/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: cgroups flood DIR COUNT PER_SECOND    make and remove empty cgroups in DIR
 *        cgroups visit DIR COUNT               make COUNT cgroups in DIR, be in each for two
 * switches cgroups pairs DIR COUNT SECONDS CPU   a process in each of COUNT cgroups; they make each
 * other wait cgroups deep DIR DEPTH NAME_LENGTH SECONDS spin in a cgroup so deep below DIR, with
 * names so long
 *
 * What a process can do in a cgroup DIR that was delegated to it. It needs no privilege for any of
 * it. What it made is removed in the end, or at SIGTERM; visit keeps its cgroups until then, and
 * prints a line when all have been visited. PER_SECOND may be 0: as fast as it can.
 *
 * It prints what it did: flood and visit the number of cgroups; deep its CPU time in ns and its
 * switches.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define MAX 4096

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = signal;
}

static int flood(int dir, int count, double per_second)
{
	double begin = now(CLOCK_MONOTONIC);
	char name[32];
	int i;

	for (i = 0; i < count && !stopped; i++) {
		while (per_second > 0 && now(CLOCK_MONOTONIC) < begin + (double)i / per_second &&
		       !stopped)
			sleep_us(500);
		snprintf(name, sizeof(name), "e%d", i);
		if (mkdirat(dir, name, 0755))
			die(name);
		remove_dir(dir, name);
	}
	printf("%d %.1f\n", i, now(CLOCK_MONOTONIC) - begin);
	return 0;
}

static int visit(int dir, int count)
{
	char name[32];
	int i, made;

	for (made = 0; made < count && !stopped; made++) {
		int child;

		snprintf(name, sizeof(name), "n%d", made);
		if (mkdirat(dir, name, 0755))
			die(name);
		child = open_dir(dir, name);
		enter(child);
		close(child);
		sleep_us(50);
		sleep_us(50);
	}
	enter(dir);
	printf("%d\n", made);
	fflush(stdout);
	while (!stopped)
		sleep_us(50000);
	for (i = 0; i < made; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		remove_dir(dir, name);
	}
	return 0;
}

/* Works for more than the millisecond from which a wait has a cause, and sleeps for some time. */
static void push_and_shove(int dir, const char *name, int cpu, double until)
{
	unsigned int seed = (unsigned int)getpid();
	cpu_set_t one;
	int child = open_dir(dir, name);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(child);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	while (now(CLOCK_MONOTONIC) < until) {
		double end = now(CLOCK_PROCESS_CPUTIME_ID) + 0.0012;

		while (now(CLOCK_PROCESS_CPUTIME_ID) < end)
			;
		sleep_us(rand_r(&seed) % 20000);
	}
	_exit(0);
}

static int pairs(int dir, int count, double seconds, int cpu)
{
	double until = now(CLOCK_MONOTONIC) + seconds;
	static pid_t pids[MAX];
	char name[32];
	int i;

	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		if (mkdirat(dir, name, 0755))
			die(name);
		pids[i] = fork();
		if (pids[i] == 0)
			push_and_shove(dir, name, cpu, until);
	}
	while (!stopped && now(CLOCK_MONOTONIC) < until)
		sleep_us(50000);
	for (i = 0; i < count; i++) {
		if (pids[i] > 0 && (!stopped || !kill(pids[i], SIGKILL)))
			waitpid(pids[i], NULL, 0);
		snprintf(name, sizeof(name), "p%d", i);
		remove_dir(dir, name);
	}
	return 0;
}

static void spin(double seconds)
{
	double until = now(CLOCK_MONOTONIC) + seconds;
	struct rusage usage;

	while (!stopped && now(CLOCK_MONOTONIC) < until) {
		double end = now(CLOCK_MONOTONIC) + 0.002;

		while (now(CLOCK_MONOTONIC) < end)
			;
		sleep_us(1000);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f %ld\n", now(CLOCK_PROCESS_CPUTIME_ID) * 1e9, usage.ru_nvcsw + usage.ru_nivcsw);
}

static int deep(int dir, int depth, int length, double seconds)
{
	static char name[256];
	static int dirs[MAX];
	int i;

	memset(name, 'd', (size_t)length);
	dirs[0] = dir;
	for (i = 0; i < depth; i++) {
		if (mkdirat(dirs[i], name, 0755))
			die("a deep cgroup");
		dirs[i + 1] = open_dir(dirs[i], name);
	}
	enter(dirs[depth]);
	spin(seconds);
	enter(dir);
	while (i-- > 0)
		remove_dir(dirs[i], name);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 3 ? argv[1] : "";
	int dir = argc > 3 ? open_dir(AT_FDCWD, argv[2]) : -1, count = argc > 3 ? atoi(argv[3]) : 0;

	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	if (strcmp(mode, "flood") == 0 && argc == 5)
		return flood(dir, count, atof(argv[4]));
	if (strcmp(mode, "visit") == 0 && argc == 4)
		return visit(dir, count);
	if (strcmp(mode, "pairs") == 0 && argc == 6 && count <= MAX)
		return pairs(dir, count, atof(argv[4]), atoi(argv[5]));
	if (strcmp(mode, "deep") == 0 && argc == 6 && count < MAX && atoi(argv[4]) < 256)
		return deep(dir, count, atoi(argv[4]), atof(argv[5]));
	fprintf(stderr, "usage: cgroups flood|visit|pairs|deep DIR COUNT ...\n");
	return 2;
}
