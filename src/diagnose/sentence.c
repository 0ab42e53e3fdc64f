/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/sentence.h"

#include <string.h>

#include "diagnose/format.h"
#include "diagnose/waits.h"

/* A second cause is named if it has this share of all waiting. */
#define SECOND_SHARE	    0.25

/* Who caused less than this of a wait is not named. */
#define CAUSE_SHARE	    0.05

/* Answers of its own that take longer are worth a word. */
#define SLOW_ANSWER_SECONDS 0.05

/* So much use of a CPU makes it busy. */
#define BUSY_RATIO	    0.5

static void put_percent(struct buf *out, double ratio)
{
	char text[FORMAT_SIZE];

	format_percent(text, ratio);
	buf_printf(out, "%s %%", text);
}

static void put_seconds(struct buf *out, double seconds)
{
	char text[FORMAT_SIZE];

	format_seconds(text, seconds);
	buf_puts(out, text);
}

/* "99 of 100 took up to 12ms" */
static void put_p99(struct buf *out, const struct row_hist *hist)
{
	buf_puts(out, "99 of 100 took up to ");
	put_seconds(out, row_hist_quantile(hist, 0.99));
}

static void put_rate(struct buf *out, const struct rows *rows, const struct row_hist *hist,
		     const char *what)
{
	char text[FORMAT_SIZE];

	format_count(text, hist->count / rows->seconds);
	buf_printf(out, " (%s %s/s, ", text, what);
	put_p99(out, hist);
	buf_putc(out, ')');
}

static void put_cause_name(struct buf *out, const struct row *row, const struct row_cause *cause)
{
	if (strcmp(cause->name, row->name) == 0)
		buf_puts(out, "its own other tasks");
	else if (strcmp(cause->name, "other") == 0)
		buf_puts(out, "others");
	else
		buf_puts(out, cause->name);
	buf_puts(out, " ran");
}

/* ", 64 % of that while ml/train-0 ran and 20 % while ... ran" */
static void put_causes(struct buf *out, const struct row *row)
{
	double waited = row->hist[SIGNAL_CPU_WAIT].sum_seconds;
	size_t i;

	for (i = 0; i < 2 && i < row->cause_count; i++) {
		/* Pairs are read a moment after the waits, so they may be ahead of them. */
		double share = row->causes[i].seconds / waited;

		if (share < (i == 0 ? CAUSE_SHARE : SECOND_SHARE))
			break;
		buf_puts(out, i == 0 ? ", " : " and ");
		put_percent(out, share < 1 ? share : 1);
		buf_puts(out, i == 0 ? " of that while " : " while ");
		put_cause_name(out, row, &row->causes[i]);
	}
}

static void put_network(struct buf *out, const struct rows *rows, const struct row *row)
{
	const struct row_hist *answers = &row->hist[SIGNAL_RESPONSE_CLIENT];
	const struct row_hist *connects = &row->hist[SIGNAL_CONNECT];

	if (answers->inside_seconds >= connects->inside_seconds) {
		buf_puts(out, " for answers of network peers");
		put_rate(out, rows, answers, "answers");
	} else {
		buf_puts(out, " for connections to be opened");
		put_rate(out, rows, connects, "connections");
	}
}

static void put_wait(struct buf *out, const struct rows *rows, const struct row *row,
		     enum wait_cause cause)
{
	switch (cause) {
	case WAIT_CPU:
		buf_puts(out, " for CPU");
		put_causes(out, row);
		break;
	case WAIT_THROTTLED:
		buf_puts(out, " because of its own CPU limit (throttled)");
		break;
	case WAIT_DISK:
		buf_puts(out, " for the disk");
		put_rate(out, rows, &row->hist[SIGNAL_BLOCK_READ], "reads");
		break;
	case WAIT_FSYNC:
		buf_puts(out, " for fsync");
		put_rate(out, rows, &row->hist[SIGNAL_FSYNC], "calls");
		break;
	case WAIT_NETWORK:
		put_network(out, rows, row);
		break;
	default:
		buf_puts(out, " for memory");
		if (row->hist[SIGNAL_MEMORY_STALL].count > 0)
			put_rate(out, rows, &row->hist[SIGNAL_MEMORY_STALL], "stalls");
		else
			buf_puts(out, " to be reclaimed");
	}
}

static void put_interval(struct buf *out, const struct rows *rows)
{
	char text[FORMAT_SIZE];

	format_interval(text, rows->seconds);
	buf_printf(out, "the last %s", text);
}

static void put_waited(struct buf *out, const struct rows *rows, const struct row *row,
		       const struct waits *waits, enum wait_cause worst)
{
	struct waits rest = *waits;
	enum wait_cause second;

	buf_puts(out, " waited ");
	put_percent(out, waits->seconds[worst] / rows->seconds);
	buf_puts(out, " of ");
	put_interval(out, rows);
	put_wait(out, rows, row, worst);
	rest.seconds[worst] = 0;
	second = waits_worst(&rest);
	if (second != WAIT_CAUSES && rest.seconds[second] >= SECOND_SHARE * waits->total) {
		buf_puts(out, ", and ");
		put_percent(out, rest.seconds[second] / rows->seconds);
		put_wait(out, rows, row, second);
	}
}

/* What keeps a row busy that hardly waited. */
static void put_hardly_waited(struct buf *out, const struct rows *rows, const struct row *row)
{
	double usage = row->value[SIGNAL_CPU_USAGE] / rows->seconds;

	buf_puts(out, " hardly waited in ");
	put_interval(out, rows);
	if (row->value_known[SIGNAL_CPU_USAGE] && usage >= BUSY_RATIO) {
		buf_puts(out, ": it ran, on ");
		put_percent(out, usage);
		buf_puts(out, " of a CPU");
	}
}

/* Slow answers are its own doing if they took longer than all that it waited for. */
static void put_answers(struct buf *out, const struct row *row, const struct waits *waits)
{
	const struct row_hist *answers = &row->hist[SIGNAL_RESPONSE_SERVER];
	double waited = waits->total;

	if (row_hist_quantile(answers, 0.99) < SLOW_ANSWER_SECONDS)
		return;
	buf_puts(out, "; of its own answers ");
	put_p99(out, answers);
	if (waited < 0.5 * answers->sum_seconds)
		buf_puts(out, waited < 0.1 * answers->sum_seconds
				      ? ", for none of these reasons: the time is its own"
				      : ", the most of it for none of these reasons");
}

static void put_victims(struct buf *out, const struct rows *rows, const struct row *row)
{
	if (row->caused_seconds < WAITS_LEAST * rows->seconds)
		return;
	buf_puts(out, "; others waited ");
	put_percent(out, row->caused_seconds / rows->seconds);
	buf_printf(out, " for CPU while it ran, %s most of all", row->worst_victim.name);
}

static void put_troubles(struct buf *out, const struct rows *rows, const struct row *row)
{
	char text[FORMAT_SIZE];

	if (row_oom_kills(row) > 0)
		buf_printf(out, "; %.0f killed for lack of memory", row_oom_kills(row));
	if (row->value[SIGNAL_RETRANSMITS] >= rows->seconds) {
		format_count(text, row->value[SIGNAL_RETRANSMITS] / rows->seconds);
		buf_printf(out, "; the network lost packets (%s retransmits/s)", text);
	}
	if (row->value[SIGNAL_CONNECT_FAILURES] > 0)
		buf_printf(out, "; %.0f connections failed", row->value[SIGNAL_CONNECT_FAILURES]);
}

/* Of what could be the reason and is not measured here. */
static void put_missing(struct buf *out, const struct waits *waits)
{
	bool first = true;
	int i;

	for (i = 0; i < WAIT_CAUSES; i++) {
		if (waits->known[i])
			continue;
		buf_printf(out, "%s%s", first ? "; not measured: " : ", ", wait_names[i]);
		first = false;
	}
}

void sentence_write(struct buf *out, const struct rows *rows, const struct row *row)
{
	struct waits waits;
	enum wait_cause worst;

	waits_find(row, &waits);
	worst = waits_worst(&waits);
	buf_puts(out, row->name);
	if (worst != WAIT_CAUSES && waits.total >= WAITS_LEAST * rows->seconds)
		put_waited(out, rows, row, &waits, worst);
	else
		put_hardly_waited(out, rows, row);
	put_answers(out, row, &waits);
	put_victims(out, rows, row);
	put_troubles(out, rows, row);
	put_missing(out, &waits);
	buf_putc(out, '.');
}
