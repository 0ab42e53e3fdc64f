/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/top.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "top/live.h"
#include "top/print.h"
#include "top/screen.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/output.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

/* In a file or a pipe only very long names are cut. */
#define WIDTH_NO_TERMINAL 160

static int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col ? WIDTH_NO_TERMINAL
								       : size.ws_col;
}

/* Waits until a time of the monotonic clock. Returns false if a signal ended it. */
static bool wait_until(struct source *source, uint64_t ns)
{
	uint64_t now;

	while (!stopped && (now = clock_monotonic_ns()) < ns)
		source_wait(source, NULL, 0, (int)((ns - now + 999999) / 1000000));
	return !stopped;
}

static int read_counts(struct source *source, struct reading *reading)
{
	int err = source_read(source, reading);

	if (err && err != -EINTR)
		log_error("%s%s", source_error(source),
			  source_is_gone(source) ? "; does bramble serve still run?" : "");
	return err;
}

static int print(const struct top_options *options, const struct reading *before,
		 const struct reading *now)
{
	struct rows rows;
	int err = rows_make(before, now, options->level, &rows);

	if (err == -EINVAL)
		err = -EAGAIN; /* serve was restarted: the next interval can be shown */
	else if (err)
		log_error("cannot compare two readings: %s", strerror(-err));
	if (!err && options->filter)
		err = rows_filter(&rows, options->filter);
	if (!err) {
		columns_sort(&rows, options->sort, false);
		err = options->json ? top_print_json(&rows, stdout)
				    : top_print_table(&rows, terminal_width(), stdout);
		/* The reader of a pipe sees each interval at once. When the reader is gone, top
		 * ends. */
		err = output_flush(stdout) ?: err;
	}
	rows_free(&rows);
	return err;
}

static int batch(const struct top_options *options, struct source *source)
{
	uint64_t next = clock_monotonic_ns(), printed = 0;
	uint64_t wanted = options->once ? 1 : options->batch;
	struct reading before, now;
	int err = read_counts(source, &before);

	if (err)
		return err == -EINTR ? 0 : err;
	for (;;) {
		next += options->interval_ns;
		/* After a pause the rhythm starts again. */
		if (next <= clock_monotonic_ns())
			next = clock_monotonic_ns() + options->interval_ns;
		if (!wait_until(source, next))
			break;
		err = read_counts(source, &now);
		if (err)
			break;
		err = print(options, &before, &now);
		reading_free(&before);
		before = now;
		if (!err && ++printed == wanted)
			break;
		if (err && err != -EAGAIN)
			break;
		if (!options->json && !err)
			putchar('\n');
	}
	reading_free(&before);
	return err == -EINTR || err == -EAGAIN ? 0 : err;
}

/* Whether there is a terminal to draw on. Warns if there is one that cannot be drawn on. */
static bool is_live(const struct top_options *options)
{
	char text[SCREEN_OBSTACLE_SIZE];
	const char *obstacle;

	if (options->once || options->batch || options->json || !isatty(STDIN_FILENO) ||
	    !isatty(STDOUT_FILENO))
		return false;
	obstacle = screen_obstacle(text);
	if (obstacle)
		log_warn("no live view: %s; tables are printed, as --batch does", obstacle);
	return !obstacle;
}

int top_run(const struct top_options *options)
{
	bool live = is_live(options);
	const struct source_options from = {
		.socket = options->socket,
		.collector_options = options->collector_options,
		.live = live,
		.stopped = &stopped,
	};
	struct sigaction action = {.sa_handler = on_signal};
	struct source *source;
	int err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = source_open(&from, &source);
	if (err)
		return err == -EINTR ? 0 : err;
	err = stopped ? 0 : live ? live_run(options, source) : batch(options, source);
	source_close(source);
	return err;
}
