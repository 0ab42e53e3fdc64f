/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/finding.h"

#include <math.h>
#include <string.h>

#include "diagnose/levels.h"

static struct evidence counter_evidence(enum signal_value counter)
{
	return (struct evidence){.counter = counter};
}

static struct evidence hist_evidence(const struct rows *rows, const struct row *row,
				     enum signal_hist id)
{
	const struct row_hist *hist = &row->hist[id];

	return (struct evidence){
		.is_hist = true,
		.hist = id,
		.count = hist->count,
		.per_second = hist->count / rows->seconds,
		.p99_seconds = row_hist_quantile(hist, 0.99),
	};
}

/* What shows best how a row waited for something: the part that took the most time. */
static struct evidence find_evidence(const struct rows *rows, const struct row *row,
				     enum wait_cause cause)
{
	const struct cause_kind *kind = &cause_kinds[cause];
	const struct row_hist *most = NULL;
	size_t i, best = 0;

	for (i = 0; i < kind->part_count; i++) {
		const struct row_hist *hist = &row->hist[kind->parts[i].hist];

		if (!kind->parts[i].words || (most && hist->inside_seconds <= most->inside_seconds))
			continue;
		most = hist;
		best = i;
	}
	if (kind->has_counter && !(most && most->count > 0))
		return counter_evidence(kind->counter);
	return hist_evidence(rows, row, kind->parts[best].hist);
}

/* The longest wait that is not said yet; WAIT_CAUSES if there is none. */
static enum wait_cause next_worst(const struct waits *waits, const struct finding *finding)
{
	struct waits rest = *waits;
	size_t i;

	for (i = 0; i < finding->main_count; i++)
		rest.seconds[finding->main[i]] = 0;
	return waits_worst(&rest);
}

static void choose_main_waits(struct finding *finding, const struct waits *waits)
{
	enum wait_cause worst = next_worst(waits, finding);

	if (worst == WAIT_CAUSES || waits->total < WAITS_LEAST * finding->interval_seconds)
		return;
	finding->main[finding->main_count++] = worst;
	worst = next_worst(waits, finding);
	if (worst != WAIT_CAUSES && waits->seconds[worst] >= SECOND_WAIT_SHARE * waits->total)
		finding->main[finding->main_count++] = worst;
}

static double waits_for_others(const struct row *row)
{
	double seconds = 0;
	size_t i;

	for (i = 0; i < row->cause_count; i++)
		if (strcmp(row->causes[i].name, row->name) != 0)
			seconds += row->causes[i].seconds;
	/* What was over in this interval may have begun long before. */
	return fmin(seconds, row->hist[SIGNAL_CPU_WAIT].inside_seconds);
}

static double waits_for_slow_peers(const struct rows *rows, const struct row *row)
{
	double seconds;

	row_hist_between(&row->hist[SIGNAL_RESPONSE_CLIENT], LEVEL_ANSWER_SECONDS,
			 LEVEL_POLL_SECONDS, rows->seconds, &seconds);
	return seconds + row->hist[SIGNAL_CONNECT].inside_seconds;
}

static double find_lost(const struct rows *rows, const struct row *row, enum wait_cause cause,
			double waited)
{
	switch (cause) {
	case WAIT_CPU:
		return waits_for_others(row);
	case WAIT_NETWORK:
		return waits_for_slow_peers(rows, row);
	default:
		return waited;
	}
}

static void find_waits(struct finding *finding, const struct rows *rows, const struct row *row,
		       const struct waits *waits)
{
	int i;

	for (i = 0; i < WAIT_CAUSES; i++) {
		if (!waits->known[i])
			continue;
		finding->waits[i] = (struct finding_wait){
			.known = true,
			.seconds = waits->seconds[i],
			.share = waits->seconds[i] / rows->seconds,
			.lost_seconds = find_lost(rows, row, (enum wait_cause)i, waits->seconds[i]),
			.since_seconds = rows->from_seconds,
			.evidence = find_evidence(rows, row, (enum wait_cause)i),
		};
	}
	finding->seconds = waits->total;
	finding->share = waits->total / rows->seconds;
	choose_main_waits(finding, waits);
}

void finding_choose_causes(struct finding *finding)
{
	const struct row_cause *causes = finding->causes;

	finding->main_causes = 0;
	if (finding->cause_count > 0 && causes[0].share >= CAUSE_SHARE)
		finding->main_causes = 1;
	if (finding->main_causes && finding->cause_count > 1 &&
	    causes[1].share >= SECOND_CAUSE_SHARE)
		finding->main_causes = 2;
}

/* Slow answers are its own doing if they took longer than all that it waited for. */
static struct finding_answers find_answers(const struct rows *rows, const struct row *row,
					   double waited)
{
	const struct row_hist *answers = &row->hist[SIGNAL_RESPONSE_SERVER];
	double p99 = row_hist_quantile(answers, 0.99);
	struct finding_answers found = {
		.are_slow = p99 >= SLOW_ANSWER_SECONDS,
		.p99_seconds = p99,
		.own = waited < 0.1 * answers->sum_seconds   ? OWN_TIME_ALL
		       : waited < 0.5 * answers->sum_seconds ? OWN_TIME_MOST
							     : OWN_TIME_LITTLE,
	};

	found.slow = row_hist_between(answers, LEVEL_ANSWER_SECONDS, LEVEL_POLL_SECONDS,
				      rows->seconds, &found.slow_seconds);
	return found;
}

static struct finding_victims find_victims(const struct rows *rows, const struct row *row)
{
	return (struct finding_victims){
		.are_many = row->caused_seconds >= WAITS_LEAST * rows->seconds,
		.seconds = row->caused_seconds,
		.share = row->caused_seconds / rows->seconds,
		.worst = row->worst_victim.name,
		.worst_labels = row->worst_victim.labels,
	};
}

/* Bad from that many in an interval on. */
static struct finding_trouble find_trouble(const struct rows *rows, bool known, double count,
					   double bad)
{
	return (struct finding_trouble){
		.known = known,
		.is_bad = count > 0 && count >= bad,
		.count = count,
		.per_second = count / rows->seconds,
	};
}

static void find_troubles(struct finding *finding, const struct rows *rows, const struct row *row)
{
	struct finding_trouble *troubles = finding->troubles;

	troubles[TROUBLE_OOM_KILLS] = find_trouble(
		rows, row->value_known[SIGNAL_OOM_KILLS] || row->value_known[SIGNAL_OOM_EVENTS],
		row_oom_kills(row), 0);
	troubles[TROUBLE_LOST_PACKETS] = find_trouble(rows, row->value_known[SIGNAL_RETRANSMITS],
						      row->value[SIGNAL_RETRANSMITS],
						      RETRANSMITS_PER_SECOND * rows->seconds);
	troubles[TROUBLE_CONNECT_FAILURES] =
		find_trouble(rows, row->value_known[SIGNAL_CONNECT_FAILURES],
			     row->value[SIGNAL_CONNECT_FAILURES], 0);
	troubles[TROUBLE_FULL_QUEUE] = find_trouble(rows, row->value_known[SIGNAL_QUEUE_OVERFLOWS],
						    row->value[SIGNAL_QUEUE_OVERFLOWS], 0);
	troubles[TROUBLE_RESETS] =
		find_trouble(rows, row->value_known[SIGNAL_RESETS], row->value[SIGNAL_RESETS], 0);
}

void finding_make(const struct rows *rows, const struct row *row, struct finding *out)
{
	struct waits waits;

	*out = (struct finding){
		.name = row->name,
		.labels = row->labels,
		.members = row->members,
		.row = row,
		.interval_seconds = rows->seconds,
		.cpu_usage = NAN,
		.victims = find_victims(rows, row),
	};
	waits_find(row, &waits);
	find_waits(out, rows, row, &waits);
	out->causes = row->causes;
	out->cause_count = row->cause_count;
	finding_choose_causes(out);
	if (row->value_known[SIGNAL_CPU_USAGE])
		out->cpu_usage = row->value[SIGNAL_CPU_USAGE] / rows->seconds;
	out->is_busy = out->cpu_usage >= BUSY_CPUS;
	out->answers = find_answers(rows, row, waits.total);
	find_troubles(out, rows, row);
}
