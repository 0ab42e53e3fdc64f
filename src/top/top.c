/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/top.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "top/print.h"
#include "top/source.h"
#include "util/clock.h"
#include "util/log.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* Returns false if a signal ended the wait. */
static bool wait_interval(struct source *source, uint64_t ns)
{
	uint64_t end_ns = clock_monotonic_ns() + ns, now_ns;

	while (!stopped && (now_ns = clock_monotonic_ns()) < end_ns)
		source_wait(source, end_ns - now_ns);
	return !stopped;
}

/* In a file or a pipe no name has to be cut that is not very long. */
#define WIDTH_NO_TERMINAL 160

static unsigned int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? WIDTH_NO_TERMINAL : size.ws_col;
}

static int print(const struct top_options *options, const json_t *before, const json_t *now)
{
	struct top_rows rows;
	int err = top_rows_make(before, now, &rows);

	if (err) {
		log_error("cannot compare two readings: %s", strerror(-err));
		return err;
	}
	err = top_rows_arrange(&rows, options->filter, options->sort);
	if (err)
		log_error("--filter=%s: not an extended regular expression", options->filter);
	else if (options->json)
		err = top_print_json(&rows, stdout);
	else
		top_print_table(&rows, terminal_width(), stdout);
	fflush(stdout);
	top_rows_free(&rows);
	return err;
}

static int watch(const struct top_options *options, struct source *source)
{
	json_t *before = source_read(source), *now;
	int err = before ? 0 : -EIO;

	while (!err && wait_interval(source, options->interval_ns)) {
		now = source_read(source);
		err = now ? print(options, before, now) : -EIO;
		json_decref(before);
		before = now;
		if (options->once)
			break;
		if (!options->json)
			putchar('\n');
	}
	json_decref(before);
	return err;
}

int top_run(const struct top_options *options)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct source *source;
	int err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = source_open(options->socket, options->collector_options, &source);
	if (err)
		return err;
	err = watch(options, source);
	source_close(source);
	return err;
}
