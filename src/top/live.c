/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "top/draw.h"
#include "top/screen.h"
#include "util/clock.h"
#include "util/log.h"

/* How often a serve that is gone is looked for. */
#define RETRY_NS NS_PER_S

struct live {
	struct source *source;
	struct ui ui;
	struct grid grid;
	struct history *history;
	struct reading before, now; /* rows is their difference */
	bool have_now, have_rows;   /* have_rows: both readings are there */
	struct rows rows;
	uint64_t next_ns; /* when to ask again, by the monotonic clock */
	uint64_t read_ns; /* when the last answer came */
	bool asked;
	char trouble[256];
	bool mouse; /* as the terminal has it */
	int signal_fd;
};

static int open_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---------------------------------------------------------------- rows */

/* Makes the rows that are shown from the readings. */
static void arrange(struct live *live)
{
	struct ui *ui = &live->ui;
	int height, width;

	if (!live->have_rows)
		return;
	rows_free(&live->rows);
	if (rows_make(&live->before, &live->now, ui->level, &live->rows))
		live->rows.count = 0;
	/* The expression was checked when it was typed. */
	if (ui->filter[0])
		(void)rows_filter(&live->rows, ui->filter);
	columns_sort(&live->rows, ui->sort, ui->reverse);
	screen_size(&height, &width);
	ui_follow(ui, &live->rows, draw_table_rows(height, width));
}

static void add_history(struct live *live)
{
	struct rows rows;
	int err = rows_make(&live->before, &live->now, ROW_LEVEL_CONTAINER, &rows);

	err = err ?: history_add(live->history, &rows, clock_boottime_ns());
	rows_free(&rows);
	if (err == -ENOMEM)
		snprintf(live->trouble, sizeof(live->trouble), "no memory");
}

/* Frees the rows, and the readings that they were made of. */
static void forget_readings(struct live *live)
{
	rows_free(&live->rows);
	if (live->have_rows)
		reading_free(&live->before);
	if (live->have_now)
		reading_free(&live->now);
	live->have_rows = live->have_now = false;
}

/* Makes a reading the newer one of the two that are compared. */
static void take_in(struct live *live, struct reading *reading)
{
	live->trouble[0] = '\0';
	live->read_ns = clock_monotonic_ns();
	if (live->have_now && reading->time_seconds == live->now.time_seconds) {
		/* The same answer again: serve shares it among those who ask at the same time. */
		reading_free(reading);
		return;
	}
	if (!live->have_now || !reading_follows(reading, &live->now)) {
		/* The first one; or serve, or the machine, was started anew behind the same socket.
		 */
		forget_readings(live);
		live->now = *reading;
		live->have_now = true;
		return;
	}
	if (live->have_rows)
		reading_free(&live->before);
	live->before = live->now;
	live->now = *reading;
	live->have_rows = true;
	add_history(live);
	arrange(live);
}

static void take_answer(struct live *live)
{
	struct reading reading;
	int err = source_take(live->source, &reading);

	live->asked = false;
	if (err) {
		snprintf(live->trouble, sizeof(live->trouble), "%s", source_error(live->source));
		live->next_ns = clock_monotonic_ns() + RETRY_NS;
		return;
	}
	take_in(live, &reading);
}

/* ---------------------------------------------------------------- what is shown */

static void show(struct live *live)
{
	bool busy = source_is_busy(live->source);
	const struct view view = {
		.ui = &live->ui,
		.rows = live->have_rows ? &live->rows : NULL,
		.node = live->have_now ? &live->now.node : NULL,
		.history = live->history,
		.source = source_name(live->source),
		.busy = busy,
		.gone = source_is_gone(live->source),
		.trouble = busy && !live->trouble[0] ? "no answer yet" : live->trouble,
		.stale_seconds = (double)(clock_monotonic_ns() - live->read_ns) / (double)NS_PER_S,
		.now_ns = clock_boottime_ns(),
		.now_wall_ns = clock_realtime_ns(),
	};
	int height, width;

	screen_size(&height, &width);
	if (grid_resize(&live->grid, height, width))
		return;
	draw(&live->grid, &view);
	screen_show(&live->grid);
}

/* Does what a key has asked for. */
static void apply(struct live *live, unsigned int changes)
{
	if (changes & UI_ARRANGE)
		arrange(live);
	if (changes & UI_INTERVAL)
		live->next_ns = clock_monotonic_ns() + (live->ui.frozen ? 0 : live->ui.interval_ns);
	if (live->mouse != live->ui.mouse)
		screen_mouse(live->mouse = live->ui.mouse);
}

/* Reads all keys that were typed. Returns whether the screen is to be drawn. */
static bool take_keys(struct live *live)
{
	static const struct rows none;
	int height, width, key, line = 0;
	bool draw_again = false;

	screen_size(&height, &width);
	while ((key = screen_key(&line)) != SCREEN_NO_KEY && !live->ui.quit) {
		const struct rows *rows = live->have_rows ? &live->rows : &none;
		size_t page_rows = draw_table_rows(height, width);
		unsigned int changes = UI_NOTHING;
		int nth;

		if (key == SCREEN_GONE) {
			live->ui.quit = true;
		} else if (key == SCREEN_REDRAW) {
			screen_redraw();
			changes = UI_DRAW;
		} else if (key == SCREEN_CLICK || key == SCREEN_CLICK_TWICE) {
			nth = draw_row_of_line(height, width, line);
			if (nth >= 0)
				changes = ui_click(&live->ui, (size_t)nth,
						   key == SCREEN_CLICK_TWICE, rows);
		} else {
			changes = ui_key(&live->ui, key, rows, page_rows);
		}
		apply(live, changes);
		draw_again |= changes != UI_NOTHING;
	}
	return draw_again;
}

static bool take_signals(struct live *live)
{
	struct signalfd_siginfo info;
	bool resized = false;
	int height, width;

	while (read(live->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			resized = true;
		else
			live->ui.quit = true;
	}
	if (!resized)
		return false;
	screen_resized();
	screen_size(&height, &width);
	if (live->have_rows)
		ui_follow(&live->ui, &live->rows, draw_table_rows(height, width));
	return true;
}

/* Milliseconds until the next reading, or until the age of the last one is to be shown. */
static int timeout_ms(const struct live *live)
{
	uint64_t now = clock_monotonic_ns();

	if (live->ui.frozen && !live->asked)
		return -1;
	if (live->asked)
		return (int)(NS_PER_S / 1000000);
	return live->next_ns > now ? (int)((live->next_ns - now + 999999) / 1000000) : 0;
}

static void ask_when_due(struct live *live)
{
	uint64_t now = clock_monotonic_ns();

	if (live->asked || live->ui.frozen || now < live->next_ns)
		return;
	source_ask(live->source);
	live->asked = true;
	live->next_ns += live->ui.interval_ns;
	/* After a pause the rhythm starts again. */
	if (live->next_ns <= now)
		live->next_ns = now + live->ui.interval_ns;
}

static void loop(struct live *live)
{
	live->next_ns = live->read_ns = clock_monotonic_ns();
	show(live);
	while (!live->ui.quit) {
		struct pollfd fds[] = {
			{.fd = STDIN_FILENO, .events = POLLIN},
			{.fd = live->signal_fd, .events = POLLIN},
		};
		bool changed = false;

		ask_when_due(live);
		if (source_wait(live->source, fds, 2, timeout_ms(live))) {
			take_answer(live);
			changed = true;
		}
		if (fds[1].revents)
			changed |= take_signals(live);
		if (fds[0].revents)
			changed |= take_keys(live);
		/* In trouble the age of what is shown changes. */
		if (changed || live->trouble[0] || source_is_busy(live->source))
			show(live);
	}
}

int live_run(const struct top_options *options, struct source *source)
{
	struct live live = {.source = source, .signal_fd = -1};
	int err = 0;

	ui_init(&live.ui, options->sort, options->level, options->interval_ns, options->filter);
	live.ui.mouse = options->mouse;
	live.grid.ascii = options->ascii || !screen_is_utf8();
	live.history = history_new();
	live.signal_fd = open_signals();
	if (!live.history || live.signal_fd < 0)
		err = live.history ? -errno : -ENOMEM;
	err = err ?: screen_open();
	if (!err) {
		apply(&live, UI_NOTHING);
		loop(&live);
		screen_close();
	}
	forget_readings(&live);
	history_free(live.history);
	grid_free(&live.grid);
	if (live.signal_fd >= 0)
		close(live.signal_fd);
	return err;
}
