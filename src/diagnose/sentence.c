/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/sentence.h"

#include <string.h>

#include "diagnose/format.h"

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
static void put_p99(struct buf *out, double p99_seconds)
{
	buf_puts(out, "99 of 100 took up to ");
	put_seconds(out, p99_seconds);
}

/* " (80 calls/s, 99 of 100 took up to 12ms)" */
static void put_rate(struct buf *out, const struct evidence *evidence, const char *what)
{
	char text[FORMAT_SIZE];

	format_count(text, evidence->per_second);
	buf_printf(out, " (%s %s/s, ", text, what);
	put_p99(out, evidence->p99_seconds);
	buf_putc(out, ')');
}

static void put_cause_name(struct buf *out, const struct finding *finding,
			   const struct row_cause *cause)
{
	if (strcmp(cause->name, finding->name) == 0)
		buf_puts(out, "its own other tasks");
	else if (strcmp(cause->name, "other") == 0)
		buf_puts(out, "others");
	else
		buf_puts(out, cause->name);
	buf_puts(out, " ran");
}

/* ", 64 % of that while ml/train-0 ran and 20 % while ... ran" */
static void put_causes(struct buf *out, const struct finding *finding)
{
	size_t i;

	for (i = 0; i < finding->main_causes; i++) {
		buf_puts(out, i == 0 ? ", " : " and ");
		put_percent(out, finding->causes[i].share);
		buf_puts(out, i == 0 ? " of that while " : " while ");
		put_cause_name(out, finding, &finding->causes[i]);
	}
}

/* What the evidence counts, in the words of its cause. */
static const struct cause_part *find_part(enum wait_cause cause, const struct evidence *evidence)
{
	const struct cause_kind *kind = &cause_kinds[cause];
	size_t i;

	for (i = 0; evidence->is_hist && i < kind->part_count; i++)
		if (kind->parts[i].hist == evidence->hist)
			return &kind->parts[i];
	return NULL;
}

static void put_wait(struct buf *out, const struct finding *finding, enum wait_cause cause)
{
	const struct evidence *evidence = &finding->waits[cause].evidence;
	const struct cause_part *part = find_part(cause, evidence);

	buf_puts(out, part ? part->words : cause_kinds[cause].counter_words);
	if (part && part->noun)
		put_rate(out, evidence, part->noun);
	if (cause == WAIT_CPU)
		put_causes(out, finding);
}

static void put_interval(struct buf *out, const struct finding *finding)
{
	char text[FORMAT_SIZE];

	format_interval(text, finding->interval_seconds);
	buf_printf(out, "the last %s", text);
}

static void put_waited(struct buf *out, const struct finding *finding)
{
	size_t i;

	for (i = 0; i < finding->main_count; i++) {
		buf_puts(out, i == 0 ? " waited " : ", and ");
		put_percent(out, finding->waits[finding->main[i]].share);
		if (i == 0) {
			buf_puts(out, " of ");
			put_interval(out, finding);
		}
		put_wait(out, finding, finding->main[i]);
	}
}

/* What keeps it busy although it hardly waited. */
static void put_hardly_waited(struct buf *out, const struct finding *finding)
{
	buf_puts(out, " hardly waited in ");
	put_interval(out, finding);
	if (finding->is_busy) {
		buf_puts(out, ": it ran, on ");
		put_percent(out, finding->cpu_usage);
		buf_puts(out, " of a CPU");
	}
}

static void put_answers(struct buf *out, const struct finding_answers *answers)
{
	if (!answers->are_slow)
		return;
	buf_puts(out, "; of its own answers ");
	put_p99(out, answers->p99_seconds);
	if (answers->own == OWN_TIME_ALL)
		buf_puts(out, ", for none of these reasons: the time is its own");
	else if (answers->own == OWN_TIME_MOST)
		buf_puts(out, ", the most of it for none of these reasons");
}

static void put_victims(struct buf *out, const struct finding_victims *victims)
{
	if (!victims->are_many)
		return;
	buf_puts(out, "; others waited ");
	put_percent(out, victims->share);
	buf_printf(out, " for CPU while it ran, %s most of all", victims->worst);
}

static void put_troubles(struct buf *out, const struct finding_trouble *troubles)
{
	char text[FORMAT_SIZE];

	if (troubles[TROUBLE_OOM_KILLS].is_bad)
		buf_printf(out, "; %.0f killed for lack of memory",
			   troubles[TROUBLE_OOM_KILLS].count);
	if (troubles[TROUBLE_LOST_PACKETS].is_bad) {
		format_count(text, troubles[TROUBLE_LOST_PACKETS].per_second);
		buf_printf(out, "; the network lost packets (%s retransmits/s)", text);
	}
	if (troubles[TROUBLE_FULL_QUEUE].is_bad)
		buf_printf(out, "; %.0f connections turned away by its full accept queue",
			   troubles[TROUBLE_FULL_QUEUE].count);
	if (troubles[TROUBLE_CONNECT_FAILURES].is_bad)
		buf_printf(out, "; %.0f connections failed",
			   troubles[TROUBLE_CONNECT_FAILURES].count);
}

/* What nobody measures here: it could be the reason, too. */
static void put_missing(struct buf *out, const struct finding *finding)
{
	bool first = true;
	int i;

	for (i = 0; i < WAIT_CAUSES; i++) {
		if (finding->waits[i].known)
			continue;
		buf_printf(out, "%s%s", first ? "; not measured: " : ", ", cause_kinds[i].word);
		first = false;
	}
}

void finding_sentence(struct buf *out, const struct finding *finding)
{
	buf_puts(out, finding->name);
	if (finding->main_count)
		put_waited(out, finding);
	else
		put_hardly_waited(out, finding);
	put_answers(out, &finding->answers);
	put_victims(out, &finding->victims);
	put_troubles(out, finding->troubles);
	put_missing(out, finding);
	buf_putc(out, '.');
}
