/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: switch [ROUNDS]
 *
 * What a context switch costs with bramble, with blocked time and without, beside the floor (one
 * clock read at each event) and libbpf-tools' runqlat: two processes on one CPU pass a
 * byte through two pipes, so each pass is one wakeup and one switch. All
 * variants are measured in turn in each round. Machines drift, so what a variant
 * adds is the difference to the mean of "off" just before and just after it.
 *
 * Both processes run under SCHED_FIFO, so that nothing else gets on their CPU
 * in the middle of a batch. A measurement is the median of many short batches.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/probe.h"
#include "report/floor.h"
#include "util/clock.h"
#include "util/log.h"

#include "bench.h"

#define ROUNDS_MAX     99
#define BATCHES	       11
#define BATCH_PASSES   2000
#define WARM_UP_PASSES 1000

enum variant {
	FLOOR,
	UNBLOCKED,
	BRAMBLE,
	RUNQLAT,
	VARIANTS,
};

static const char *const names[VARIANTS] = {
	[FLOOR] = "floor: a clock read an event",
	[UNBLOCKED] = "bramble --no-probe.blocked",
	[BRAMBLE] = "bramble",
	[RUNQLAT] = "runqlat (libbpf-tools)",
};

static int there[2], back[2];

static void die(const char *what)
{
	fprintf(stderr, "switch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pass(int count)
{
	char c = 0;

	while (count--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe");
}

static void echo(void)
{
	char c;

	while (read(there[0], &c, 1) == 1)
		if (write(back[1], &c, 1) != 1)
			break;
	_exit(0);
}

/* Nanoseconds for one wakeup and one switch. */
static double measure(void)
{
	double batch[BATCHES];
	uint64_t start_ns;
	int i;

	pass(WARM_UP_PASSES);
	for (i = 0; i < BATCHES; i++) {
		start_ns = clock_monotonic_ns();
		pass(BATCH_PASSES);
		batch[i] = (double)(clock_monotonic_ns() - start_ns) / (2.0 * BATCH_PASSES);
	}
	return quantile(batch, BATCHES, 0.5);
}

static void set_options(struct probe_options *options)
{
	*options = (struct probe_options){
		.slots = 1024,
		.btf = "auto",
		.tracefs = tracefs_path(),
		.enabled = {[PROBE_SCHED] = true},
	};
}

static double measure_floor(void)
{
	static struct floor_hooks hooks;
	struct probe_options options;
	struct floor *floor;
	double ns;

	set_options(&options);
	if (!hooks.count && floor_find_hooks(&options, &hooks))
		exit(1);
	if (floor_open(&options, &hooks, FLOOR_CLOCK, &floor))
		die("cannot attach the floor's programs");
	ns = measure();
	floor_close(floor);
	return ns;
}

static double measure_bramble(bool blocked)
{
	struct probe_options options;
	struct probe *probe;
	double ns;

	set_options(&options);
	options.enabled[PROBE_BLOCKED] = blocked;
	if (probe_open(&options, &probe))
		exit(1);
	ns = measure();
	probe_close(probe);
	return ns;
}

/* Starts runqlat and returns when it says that it traces. */
static pid_t start_runqlat(void)
{
	int out[2];
	char c = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (!pid) {
		struct sched_param normal = {0};

		sched_setscheduler(0, SCHED_OTHER, &normal);
		dup2(out[1], STDOUT_FILENO);
		execlp("stdbuf", "stdbuf", "-oL", "runqlat", "3600", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while (c != '\n' && read(out[0], &c, 1) == 1)
		;
	close(out[0]);
	if (c == '\n')
		return pid;
	waitpid(pid, NULL, 0);
	return 0;
}

/* -1 where runqlat is not installed. */
static double measure_runqlat(void)
{
	pid_t pid = start_runqlat();
	double ns;

	if (!pid)
		return -1;
	ns = measure();
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	usleep(200000);
	return ns;
}

static double measure_variant(enum variant variant)
{
	switch (variant) {
	case FLOOR:
		return measure_floor();
	case UNBLOCKED:
		return measure_bramble(false);
	case BRAMBLE:
		return measure_bramble(true);
	default:
		return measure_runqlat();
	}
}

/* What one round found. */
struct round {
	double off;
	double added[VARIANTS]; /* NAN: cannot be measured here */
};

static void run_round(struct round *round, int first)
{
	double before, with, after;
	int i;

	for (i = 0; i < VARIANTS; i++) {
		int variant = (first + i) % VARIANTS;

		before = measure();
		with = measure_variant((enum variant)variant);
		after = measure();
		round->off = before;
		round->added[variant] = with < 0 ? NAN : with - (before + after) / 2;
	}
}

static void print_table(const struct round *rounds, int count)
{
	double added[VARIANTS][ROUNDS_MAX], off[ROUNDS_MAX], median[VARIANTS];
	int i, v;

	for (i = 0; i < count; i++)
		off[i] = rounds[i].off;
	for (v = 0; v < VARIANTS; v++) {
		for (i = 0; i < count; i++)
			added[v][i] = rounds[i].added[v];
		median[v] = quantile(added[v], count, 0.5);
	}
	printf("A pass without any probe takes %.0f ns (median of %d rounds).\n\n",
	       quantile(off, count, 0.5), count);
	printf("| variant | added ns, median | quartiles | x floor | x runqlat |\n"
	       "|---|---|---|---|---|\n");
	for (v = 0; v < VARIANTS; v++) {
		if (isnan(median[v]))
			printf("| %s | not installed | | | |\n", names[v]);
		else
			printf("| %s | %.0f | %.0f to %.0f | %.2f | %.2f |\n", names[v], median[v],
			       quantile(added[v], count, 0.25), quantile(added[v], count, 0.75),
			       median[v] / median[FLOOR], median[v] / median[RUNQLAT]);
	}
}

int main(int argc, char **argv)
{
	static struct round rounds[ROUNDS_MAX];
	int count = argc > 1 ? atoi(argv[1]) : 31;
	int i;
	pid_t pid;

	if (count < 7 || count > ROUNDS_MAX) {
		fprintf(stderr, "usage: switch [ROUNDS], 7 to %d\n", ROUNDS_MAX);
		return 2;
	}
	log_setup(LOG_ERROR, LOG_LOGFMT);
	take_cpu();
	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		echo();
	measure();
	for (i = 0; i < count; i++)
		run_round(&rounds[i], i); /* each round begins with another variant */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	print_machine();
	print_table(rounds, count);
	return 0;
}
