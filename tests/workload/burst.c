/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: burst SECONDS WORK_US SLEEP_US
 *
 * Works for WORK_US of its own CPU time, sleeps, works again: a server with
 * many wakeups, or with a long sleep one that hardly does anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_us(long us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* Some work between two looks at the clock, which take longest on an emulated machine. */
static void work_a_little(void)
{
	for (volatile int i = 0; i < 300; i++)
		;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: burst SECONDS WORK_US SLEEP_US\n");
		return 2;
	}

	double end = now(CLOCK_MONOTONIC) + atof(argv[1]);
	double work = atof(argv[2]) / 1e6;
	long sleep = atol(argv[3]);

	while (now(CLOCK_MONOTONIC) < end) {
		double until = now(CLOCK_PROCESS_CPUTIME_ID) + work;

		while (now(CLOCK_PROCESS_CPUTIME_ID) < until)
			work_a_little();
		sleep_us(sleep);
	}
	return 0;
}
