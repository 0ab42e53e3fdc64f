/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "expose/expose.h"
#include "metrics/scrape.h"
#include "report/agree.h"
#include "report/board.h"
#include "report/cage.h"
#include "report/cost.h"
#include "util/unix_listener.h"
#include "util/clock.h"
#include "util/log.h"
#include "version.h"

#define SCRAPES 20

/* What the last line repeats: a row of the table in docs/kernels.md. */
struct row {
	struct board board;
	char cost[2][48];
	char waits[24], fsyncs[24], requests[24], scrape[24];
};

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static bool serve_runs(const char *path)
{
	int err;

	return path[0] && listener_find(path, &err) == LISTENER_THERE;
}

static void not_measured(char *cell, size_t size, const char *what, int err)
{
	snprintf(cell, size, "-");
	printf("- %s: not measured: %s\n", what, strerror(-err));
	fflush(stdout);
}

/* ---- cost */

static void print_cost(enum cost_of what, const char *name, const struct probe_options *options,
		       uint64_t most_ns, struct row *row)
{
	struct cost cost;
	int err = cost_measure(what, options, clock_monotonic_ns() + most_ns, &cost);
	char *cell = row->cost[what];

	if (err) {
		not_measured(cell, sizeof(row->cost[what]), name, err);
		return;
	}
	printf("- %s takes %.0f ns without a probe. A clock read at each event adds %.0f ns (%.0f "
	       "to %.0f), bramble adds %.0f ns (%.0f to %.0f)",
	       name, cost.without, cost.floor, cost.floor_low, cost.floor_high, cost.bramble,
	       cost.bramble_low, cost.bramble_high);
	if (cost_is_steady(&cost)) {
		printf(": %.2f times as much", cost.bramble / cost.floor);
		snprintf(cell, sizeof(row->cost[what]), "%.0f / %.0f ns", cost.bramble, cost.floor);
	} else {
		printf(": too unsteady to compare, so run it again when less runs here");
		snprintf(cell, sizeof(row->cost[what]), "unsteady");
	}
	printf(". Medians and quartiles of %d rounds%s.\n", cost.rounds,
	       cost.alone ? "" : "; other programs may have got in between (no CAP_SYS_NICE)");
	fflush(stdout);
}

static void print_costs(const struct probe_options *options, uint64_t each_ns, struct row *row)
{
	printf("\n### Cost\n\n");
	print_cost(COST_SWITCH, "A context switch", options, each_ns, row);
	print_cost(COST_EXCHANGE, "An exchange over TCP", options, each_ns, row);
}

/* ---- agreement */

static double apart(uint64_t probe, uint64_t other)
{
	return other ? ((double)probe / (double)other - 1) * 100 : 0;
}

static void print_waits(const struct witness *witness, struct row *row)
{
	struct agreement found;
	int err = agree_on_waits(witness, &found);

	if (err) {
		not_measured(row->waits, sizeof(row->waits), "waits for a CPU", err);
		return;
	}
	printf("- waits for a CPU: bramble %.3f s, schedstat %.3f s (%+.2f %%)\n",
	       ms(found.probe.sum_ns) / 1e3, ms(found.other.sum_ns) / 1e3,
	       apart(found.probe.sum_ns, found.other.sum_ns));
	snprintf(row->waits, sizeof(row->waits), "%+.2f %%",
		 apart(found.probe.sum_ns, found.other.sum_ns));
	fflush(stdout);
}

static void print_counted(const char *what, const char *whose, const struct agreement *found,
			  char *cell, size_t size)
{
	printf("- %s: bramble %" PRIu64 " in %.1f ms, %s %" PRIu64 " in %.1f ms (%+.2f %%)\n", what,
	       found->probe.count, ms(found->probe.sum_ns), whose, found->other.count,
	       ms(found->other.sum_ns), apart(found->probe.sum_ns, found->other.sum_ns));
	snprintf(cell, size, "%" PRIu64 " of %" PRIu64 ", %+.1f %%", found->probe.count,
		 found->other.count, apart(found->probe.sum_ns, found->other.sum_ns));
	fflush(stdout);
}

static void print_fsyncs(const struct witness *witness, const char *dir, struct row *row)
{
	struct agreement found;
	char what[64], name[32];
	int err = agree_on_fsyncs(witness, dir, &found);

	board_filesystem(dir, name, sizeof(name));
	snprintf(what, sizeof(what), "fsyncs%s%s", name[0] ? " on " : "", name);
	if (err) {
		not_measured(row->fsyncs, sizeof(row->fsyncs), what, err);
		printf("  (no file can be written and synced there: --dir names a directory on "
		       "the disk to measure)\n");
		return;
	}
	print_counted(what, "the calls", &found, row->fsyncs, sizeof(row->fsyncs));
	if (!found.probe.count)
		printf("  (bramble knows the fsyncs of ext4, f2fs, xfs and btrfs: --dir names a "
		       "directory on one)\n");
}

static void print_requests(const struct witness *witness, struct row *row)
{
	struct agreement found;
	int err = agree_on_requests(witness, &found);

	if (err)
		not_measured(row->requests, sizeof(row->requests), "requests", err);
	else
		print_counted("requests", "their client", &found, row->requests,
			      sizeof(row->requests));
}

/* ---- a scrape */

static uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int scrape_once(struct collector *collector, size_t *len)
{
	const struct expose_options options = {.accepted = {.format = FORMAT_TEXT}};
	struct scrape scrape;
	struct books books;
	struct buf body = {0};
	int err;

	collector_update(collector);
	books_read(collector, &books);
	scrape_of(collector, &scrape);
	scrape.books = &books;
	self_read(&scrape.self, scrape.wall);
	expose_write(&body, &options, &scrape);
	*len = body.len;
	err = buf_failed(&body) ? -ENOMEM : 0;
	buf_free(&body);
	return err;
}

static void print_scrape(struct collector *collector, struct row *row)
{
	size_t len = 0;
	uint64_t start_ns;
	int i, err = scrape_once(collector, &len);

	start_ns = cpu_ns();
	for (i = 0; i < SCRAPES && !err; i++)
		err = scrape_once(collector, &len);
	if (err) {
		not_measured(row->scrape, sizeof(row->scrape), "a scrape", err);
		return;
	}
	snprintf(row->scrape, sizeof(row->scrape), "%.1f ms", ms(cpu_ns() - start_ns) / SCRAPES);
	printf("- a scrape takes %s of CPU time: %zu kB about %zu cgroups\n", row->scrape,
	       len / 1000, members_count(collector_members(collector)));
	fflush(stdout);
}

/* ---- the whole */

/* What is done in a cgroup of its own. The row is shared with the process that waits. */
struct run {
	const struct report_options *options;
	const struct collector_options *counted;
	struct row *row;
};

static void print_agreement(const struct run *run, struct collector *collector)
{
	struct witness witness;
	int err = witness_open(&witness, collector, run->counted->procfs);

	if (err) {
		printf("- not measured: the cgroup of this process cannot be seen from here: %s\n",
		       strerror(-err));
		return;
	}
	print_waits(&witness, run->row);
	print_fsyncs(&witness, run->options->dir, run->row);
	print_requests(&witness, run->row);
}

/* On the whole machine since the probe began: it may explain what is missing above. */
static void print_lost(const struct collector *collector)
{
	struct books books;
	size_t i, reasons = 0;

	books_read(collector, &books);
	printf("- left out meanwhile:");
	for (i = 0; i < books.lost_count; i++)
		if (books.lost[i].count)
			printf("%s %s %s %" PRIu64, reasons++ ? "," : "",
			       probe_names[books.lost[i].probe], books.lost[i].reason,
			       books.lost[i].count);
	printf("%s\n", reasons ? "" : " nothing");
	fflush(stdout);
}

static int run_collector(void *context)
{
	const struct run *run = context;
	struct collector *collector;
	int err = collector_open(run->counted, &collector);

	if (err)
		return err;
	printf("\n### Agreement\n\n");
	print_agreement(run, collector);
	print_lost(collector);
	print_scrape(collector, run->row);
	collector_close(collector);
	return 0;
}

static void print_row(const struct row *row)
{
	printf("\n### The row for docs/kernels.md\n\n"
	       "| board | kernel | pages | CPUs | bramble | a switch, bramble / floor | an "
	       "exchange, "
	       "bramble / floor | waits | fsyncs | requests | a scrape |\n"
	       "|---|---|---|---|---|---|---|---|---|---|---|\n"
	       "| %s | %s | %ld | %ld | %s | %s | %s | %s | %s | %s | %s |\n",
	       row->board.model, row->board.kernel, row->board.page_size, row->board.cpus,
	       bramble_version, row->cost[COST_SWITCH], row->cost[COST_EXCHANGE],
	       row->waits[0] ? row->waits : "-", row->fsyncs[0] ? row->fsyncs : "-",
	       row->requests[0] ? row->requests : "-", row->scrape[0] ? row->scrape : "-");
}

static _Noreturn void on_alarm(int number)
{
	static const char text[] =
		"bramble report: its two minutes are over; the rest is missing\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

static int measure(const struct report_options *options, struct row *row)
{
	struct collector_options counted;
	int err = options->collector_options(&counted);

	if (err)
		return err;
	print_costs(&counted.probe, options->cost_ns, row);
	err = cage_run(counted.cgroupfs, run_collector, &(struct run){options, &counted, row});
	if (err == -EINTR)
		log_error("the report was ended before it was complete");
	return err;
}

static int print_machine(const struct report_options *options, struct row *row)
{
	int err;

	board_read(options->check.path_procfs, &row->board);
	printf("## bramble report, %s (%s)\n\n", bramble_version, bramble_revision);
	board_print(&row->board, options->check.path_procfs, options->check.path_sysfs, stdout);
	if (serve_runs(options->socket))
		printf("- bramble serve runs, too: all times below have its cost in them\n");
	printf("\n### Check\n\n```\n");
	err = check_run(&options->check, stdout);
	printf("```\n");
	fflush(stdout);
	return err < 0 ? err : 0;
}

int report_run(const struct report_options *options)
{
	struct row *row =
		mmap(NULL, sizeof(*row), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (row == MAP_FAILED)
		return -errno;
	signal(SIGALRM, on_alarm);
	alarm(REPORT_MAX_S);
	err = print_machine(options, row) ?: measure(options, row);
	if (!err)
		print_row(row);
	alarm(0);
	munmap(row, sizeof(*row));
	return err;
}
