/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/finding.h"

#include <math.h>

/* A second wait is said if it has this share of all waiting. */
#define SECOND_WAIT_SHARE      0.25

/* Who caused less than this of the waits for a CPU is not said; nor is a second one below that. */
#define CAUSE_SHARE	       0.05
#define SECOND_CAUSE_SHARE     0.25

/* So much use of a CPU makes it busy. */
#define BUSY_CPUS	       0.5

/* Answers of its own that take longer are slow. */
#define SLOW_ANSWER_SECONDS    0.05

/* So many segments sent again a second are lost packets, and no accident. */
#define RETRANSMITS_PER_SECOND 1

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

/* What shows best how a row waited for something. */
static struct evidence find_evidence(const struct rows *rows, const struct row *row,
				     enum wait_cause cause)
{
	const struct row_hist *answers = &row->hist[SIGNAL_RESPONSE_CLIENT];
	const struct row_hist *connects = &row->hist[SIGNAL_CONNECT];

	switch (cause) {
	case WAIT_CPU:
		return hist_evidence(rows, row, SIGNAL_CPU_WAIT);
	case WAIT_THROTTLED:
		return counter_evidence(SIGNAL_CPU_THROTTLED);
	case WAIT_DISK:
		return hist_evidence(rows, row, SIGNAL_BLOCK_READ);
	case WAIT_FSYNC:
		return hist_evidence(rows, row, SIGNAL_FSYNC);
	case WAIT_NETWORK:
		return hist_evidence(rows, row,
				     answers->inside_seconds >= connects->inside_seconds
					     ? SIGNAL_RESPONSE_CLIENT
					     : SIGNAL_CONNECT);
	case WAIT_BLOCKED:
		return hist_evidence(rows, row, SIGNAL_BLOCKED);
	default:
		if (row->hist[SIGNAL_MEMORY_STALL].count > 0)
			return hist_evidence(rows, row, SIGNAL_MEMORY_STALL);
		return counter_evidence(SIGNAL_PRESSURE_MEMORY);
	}
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
			.since_seconds = rows->from_seconds,
			.evidence = find_evidence(rows, row, (enum wait_cause)i),
		};
	}
	finding->seconds = waits->total;
	finding->share = waits->total / rows->seconds;
	choose_main_waits(finding, waits);
}

static void find_causes(struct finding *finding, const struct row *row)
{
	finding->causes = row->causes;
	finding->cause_count = row->cause_count;
	if (row->cause_count > 0 && row->causes[0].share >= CAUSE_SHARE)
		finding->main_causes = 1;
	if (finding->main_causes && row->cause_count > 1 &&
	    row->causes[1].share >= SECOND_CAUSE_SHARE)
		finding->main_causes = 2;
}

/* Slow answers are its own doing if they took longer than all that it waited for. */
static struct finding_answers find_answers(const struct row *row, double waited)
{
	const struct row_hist *answers = &row->hist[SIGNAL_RESPONSE_SERVER];
	double p99 = row_hist_quantile(answers, 0.99);

	return (struct finding_answers){
		.are_slow = p99 >= SLOW_ANSWER_SECONDS,
		.p99_seconds = p99,
		.own = waited < 0.1 * answers->sum_seconds   ? OWN_TIME_ALL
		       : waited < 0.5 * answers->sum_seconds ? OWN_TIME_MOST
							     : OWN_TIME_LITTLE,
	};
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
	find_causes(out, row);
	if (row->value_known[SIGNAL_CPU_USAGE])
		out->cpu_usage = row->value[SIGNAL_CPU_USAGE] / rows->seconds;
	out->is_busy = out->cpu_usage >= BUSY_CPUS;
	out->answers = find_answers(row, waits.total);
	find_troubles(out, rows, row);
}
