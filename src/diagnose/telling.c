/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/telling.h"

#include <string.h>

#include "diagnose/format.h"
#include "diagnose/levels.h"
#include "diagnose/sentence.h"

static void put_window(struct buf *out, const struct verdict *verdict)
{
	char text[FORMAT_SIZE];

	format_interval(text, verdict->window_seconds);
	buf_printf(out, "the last %s", text);
}

/* ---------------------------------------------------------------- what was waited for */

/* The finding of the whole time, of this wait alone. */
static struct finding as_finding(const struct verdict *verdict, enum wait_cause cause)
{
	struct finding finding = {
		.name = verdict->name,
		.labels = verdict->labels,
		.interval_seconds = verdict->window_seconds,
		.main = {cause},
		.main_count = 1,
		.causes = verdict->by,
		.cause_count = cause == WAIT_CPU ? verdict->by_count : 0,
	};
	int i;

	for (i = 0; i < WAIT_CAUSES; i++)
		finding.waits[i].known = true;
	finding.waits[cause].seconds = verdict->seconds;
	finding.waits[cause].share = verdict->share;
	finding.waits[cause].evidence = verdict->evidence;
	finding_choose_causes(&finding);
	return finding;
}

static void put_waited(struct buf *out, const struct verdict *verdict, enum wait_cause cause)
{
	struct finding finding = as_finding(verdict, cause);

	finding_sentence(out, &finding);
}

static void put_limit(struct buf *out, const struct verdict *verdict)
{
	buf_puts(out, " It is at a memory limit");
	if (verdict->memory_limit > 0)
		buf_printf(out, ": its own, of %.0f MiB", verdict->memory_limit / (1 << 20));
	buf_putc(out, '.');
}

static void put_server(struct buf *out, const struct verdict *verdict)
{
	char text[FORMAT_SIZE];

	if (!verdict->by_count)
		return;
	if (verdict->evidence.hist == SIGNAL_CONNECT) {
		buf_printf(out, " On this node %s turned connections away.", verdict->by[0].name);
		return;
	}
	format_percent(text, verdict->by[0].share);
	buf_printf(out, " On this node %s answered slowly, which may be up to %s %% of that.",
		   verdict->by[0].name, text);
}

static void put_grower(struct buf *out, const struct verdict *verdict)
{
	if (!verdict->by_count)
		return;
	buf_puts(out, " The node was short of it; ");
	buf_puts(out, strcmp(verdict->by[0].name, verdict->name) == 0 ? "it took itself"
								      : verdict->by[0].name);
	buf_printf(out, "%s %.0f MiB more at the time.",
		   strcmp(verdict->by[0].name, verdict->name) == 0 ? "" : " took",
		   verdict->by_bytes / (1 << 20));
}

/* ---------------------------------------------------------------- all else */

static void put_slow_answers(struct buf *out, const struct verdict *verdict)
{
	char count[FORMAT_SIZE], slow[FORMAT_SIZE], most[FORMAT_SIZE], p99[FORMAT_SIZE];

	format_count(count, verdict->count);
	format_seconds(slow, LEVEL_ANSWER_SECONDS);
	format_seconds(most, LEVEL_POLL_SECONDS);
	format_seconds(p99, verdict->evidence.p99_seconds);
	buf_printf(out, "%s answered slowly in ", verdict->name);
	put_window(out, verdict);
	buf_printf(out,
		   ": %s answers took from %s to %s; of all its answers 99 of 100 took up to %s.",
		   count, slow, most, p99);
}

static void put_counted(struct buf *out, const struct verdict *verdict)
{
	buf_printf(out, "%s: %.0f %s in ", verdict->name, verdict->count,
		   cause_kinds[verdict->cause].happened);
	put_window(out, verdict);
	buf_putc(out, '.');
}

static void put_state(struct buf *out, const struct verdict *verdict)
{
	char held[FORMAT_SIZE];

	format_interval(held, verdict->seconds);
	buf_printf(out, "This node: %s%s, for %s of ", verdict->where,
		   cause_kinds[verdict->cause].happened, held);
	put_window(out, verdict);
	buf_putc(out, '.');
}

void verdict_sentence(struct buf *out, const struct verdict *verdict)
{
	const int cause = (int)verdict->cause;

	if (cause == CAUSE_MEMORY_LIMIT) {
		put_waited(out, verdict, WAIT_MEMORY);
		put_limit(out, verdict);
	} else if (cause == CAUSE_SLOW_ANSWERS) {
		put_slow_answers(out, verdict);
	} else if (cause >= CAUSES_OF_OWNERS) {
		put_state(out, verdict);
	} else if (cause >= CAUSES_TIMED) {
		put_counted(out, verdict);
	} else {
		put_waited(out, verdict, (enum wait_cause)cause);
		if (cause == WAIT_NETWORK)
			put_server(out, verdict);
		else if (cause == WAIT_MEMORY)
			put_grower(out, verdict);
	}
}

/* ---------------------------------------------------------------- what helps */

/* %1 is who it is about, %2 who caused it, or where it is. */
static void put_advice(struct buf *out, const struct verdict *verdict, const char *text)
{
	const char *mark;

	for (; (mark = strchr(text, '%')); text = mark) {
		buf_add(out, text, (size_t)(mark - text));
		if (mark[1] == '1')
			buf_puts(out, verdict->name);
		else if (mark[1] == '2')
			buf_puts(out, verdict->by_count ? verdict->by[0].name : verdict->where);
		else
			buf_putc(out, '%');
		mark += mark[1] == '1' || mark[1] == '2' ? 2 : 1;
	}
	buf_puts(out, text);
}

/* What the one who made others wait for a CPU is, and what who waits is, say what can be done. */
static void advise_cpu(struct buf *out, const struct verdict *verdict)
{
	const char *unit = verdict->by_count ? verdict->by[0].labels.unit : "other";

	if (strcmp(unit, "kernel") == 0) {
		buf_puts(out,
			 "look at what keeps the kernel busy: much disk or network traffic, or "
			 "too little memory");
		return;
	}
	/* Nothing sets the weight of the root cgroup. */
	if (strcmp(unit, "other") == 0 || strcmp(unit, "root") == 0)
		buf_puts(out, "move something to another node");
	else if (unit[0])
		put_advice(out, verdict,
			   "lower the weight of %2 (systemctl set-property %2 CPUWeight=20)");
	else
		put_advice(out, verdict, "give %2 a CPU limit or move it to another node");
	put_advice(out, verdict,
		   verdict->labels.unit[0]
			   ? ", or raise the weight of %1 (CPUWeight=500)"
			   : ", or raise the CPU request of %1, which is its weight");
}

static bool is_etcd(const struct verdict *verdict)
{
	return strstr(verdict->name, "etcd") || strstr(verdict->name, "k3s");
}

void verdict_advice(struct buf *out, const struct verdict *verdict)
{
	const int cause = (int)verdict->cause;

	if (cause == WAIT_CPU)
		advise_cpu(out, verdict);
	else if (cause == WAIT_FSYNC && is_etcd(verdict))
		buf_puts(out, "move etcd off the SD card to an SSD (k3s: --data-dir), or use an "
			      "external datastore");
	else if (cause == WAIT_NETWORK && verdict->by_count)
		put_advice(out, verdict, "see `bramble why %2`, which may be the slow server");
	else if (cause == WAIT_MEMORY && verdict->by_count)
		put_advice(out, verdict,
			   "give %2 a memory limit (resources.limits.memory) or move it to another "
			   "node");
	else if (verdict->labels.unit[0] && cause_kinds[cause].unit_advice)
		put_advice(out, verdict, cause_kinds[cause].unit_advice);
	else
		put_advice(out, verdict, cause_kinds[cause].advice);
}

const char *verdict_hint(const struct verdict *verdict)
{
	return cause_kinds[verdict->cause].hint;
}
