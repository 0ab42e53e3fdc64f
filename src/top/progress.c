/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/clock.h"

#define TICK_NS (NS_PER_S / 10)

struct progress {
	const char *text;
	uint64_t start_ns;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
};

static void show(const struct progress *progress)
{
	double seconds = (double)(clock_monotonic_ns() - progress->start_ns) / (double)NS_PER_S;

	fprintf(stderr, "\r%s: %.1f s", progress->text, seconds);
}

static void *run(void *context)
{
	struct progress *progress = context;
	struct timespec next;
	uint64_t ns;

	pthread_mutex_lock(&progress->lock);
	while (!progress->done) {
		show(progress);
		ns = clock_monotonic_ns() + TICK_NS;
		next.tv_sec = (time_t)(ns / NS_PER_S);
		next.tv_nsec = (long)(ns % NS_PER_S);
		pthread_cond_timedwait(&progress->changed, &progress->lock, &next);
	}
	show(progress);
	fputc('\n', stderr);
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

struct progress *progress_start(const char *text)
{
	struct progress *progress = calloc(1, sizeof(*progress));
	pthread_condattr_t monotonic;
	sigset_t all, old;
	int err;

	if (!progress)
		return NULL;
	progress->text = text;
	progress->start_ns = clock_monotonic_ns();
	pthread_mutex_init(&progress->lock, NULL);
	/* Its own clock: the wall clock may be set meanwhile. */
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&progress->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	/* Signals are for the thread that loads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&progress->thread, NULL, run, progress);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		free(progress);
		return NULL;
	}
	return progress;
}

void progress_stop(struct progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->done = true;
	pthread_cond_signal(&progress->changed);
	pthread_mutex_unlock(&progress->lock);
	pthread_join(progress->thread, NULL);
	free(progress);
}
