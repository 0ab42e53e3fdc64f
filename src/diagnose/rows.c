/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/rows.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/pattern.h"

const char *const row_level_names[] = {
	[ROW_LEVEL_CONTAINER] = "container",
	[ROW_LEVEL_POD] = "pod",
	[ROW_LEVEL_WORKLOAD] = "workload",
	[ROW_LEVEL_NAMESPACE] = "namespace",
	[ROW_LEVELS] = NULL,
};

/* A static pod's mirror is owned by its node, which groups nothing. */
static bool has_workload(const struct reading_labels *labels)
{
	return labels->workload[0] && strcmp(labels->workload_kind, "Node") != 0;
}

void row_name_write(char text[ROW_NAME_SIZE], const struct reading_labels *labels,
		    enum row_level level)
{
	/* Of a pod whose name is not known there is no namespace. */
	const char *slash = labels->name_space[0] ? "/" : "";

	if (level == ROW_LEVEL_NAMESPACE)
		snprintf(text, ROW_NAME_SIZE, "%s",
			 labels->name_space[0] ? labels->name_space : "(no namespace)");
	else if (labels->unit[0] || !labels->pod[0]) /* or a container outside of Kubernetes */
		snprintf(text, ROW_NAME_SIZE, "%s",
			 labels->unit[0] ? labels->unit : labels->container);
	else if (level == ROW_LEVEL_CONTAINER)
		/* What is counted for the whole pod, such as a full accept queue, has none. */
		snprintf(text, ROW_NAME_SIZE, "%s%s%s%s%s", labels->name_space, slash, labels->pod,
			 labels->container[0] ? "/" : "", labels->container);
	else
		snprintf(text, ROW_NAME_SIZE, "%s%s%s", labels->name_space, slash,
			 level == ROW_LEVEL_WORKLOAD && has_workload(labels) ? labels->workload
									     : labels->pod);
}

static char *make_name(struct arena *arena, const struct reading_labels *labels,
		       enum row_level level)
{
	char text[ROW_NAME_SIZE];

	row_name_write(text, labels, level);
	return arena_string(arena, text);
}

/* ---------------------------------------------------------------- histograms */

static uint32_t *take_buckets(struct arena *arena)
{
	return arena_take(arena, HIST_BUCKETS * sizeof(uint32_t));
}

static double bucket_bound(int i)
{
	return exp2((HIST_MIN_K + i) / 4.0);
}

double row_hist_bound(int bucket)
{
	return bucket < HIST_BUCKETS - 1 ? bucket_bound(bucket) : INFINITY;
}

double row_hist_quantile(const struct row_hist *hist, double q)
{
	double below = 0, total = 0;
	int i;

	if (!hist->bucket)
		return 0;
	for (i = 0; i < HIST_BUCKETS; i++)
		total += hist->bucket[i];
	for (i = 0; i < HIST_BUCKETS - 1; i++) {
		below += hist->bucket[i];
		if (below >= q * total)
			return bucket_bound(i);
	}
	return INFINITY;
}

double row_hist_between(const struct row_hist *hist, double above, double most, double interval,
			double *seconds)
{
	/* Of the bound above it, for values that are spread evenly in a bucket. */
	const double middle = (1 + exp2(-0.25)) / 2;
	double count = 0, all = 0;
	int i;

	*seconds = 0;
	for (i = 0; hist->bucket && i < HIST_BUCKETS; i++) {
		all += hist->bucket[i];
		if (!hist->bucket[i] || bucket_bound(i) <= above || bucket_bound(i) > most)
			continue;
		count += hist->bucket[i];
		*seconds += hist->bucket[i] * fmin(interval, middle * bucket_bound(i));
	}
	*seconds = count == all ? hist->inside_seconds : fmin(*seconds, hist->inside_seconds);
	return count;
}

/* The most that the values can have taken if each counts as one interval at most. */
static double inside(const struct row_hist *hist, double interval)
{
	double most = 0;
	int i;

	for (i = 0; i < HIST_BUCKETS; i++)
		if (hist->bucket[i])
			most += hist->bucket[i] * fmin(interval, bucket_bound(i));
	return fmin(most, hist->sum_seconds);
}

/* Returns 0, -ENOMEM, or -ESTALE if the count is lower than before. */
static int make_hist(struct arena *arena, struct row_hist *hist, const struct reading_hist *before,
		     const struct reading_hist *now, double interval)
{
	int64_t count[HIST_BUCKETS];
	size_t i;

	hist->known = true;
	hist->count = now->count - (before ? before->count : 0);
	hist->sum_seconds = now->sum_seconds - (before ? before->sum_seconds : 0);
	if (hist->count < 0)
		return -ESTALE;
	if (hist->count == 0) {
		hist->sum_seconds = 0;
		return 0;
	}
	hist->bucket = take_buckets(arena);
	if (!hist->bucket)
		return -ENOMEM;
	memset(count, 0, sizeof(count));
	for (i = 0; i < now->bucket_count; i++)
		count[now->buckets[i].index] += (int64_t)now->buckets[i].count;
	for (i = 0; before && i < before->bucket_count; i++)
		count[before->buckets[i].index] -= (int64_t)before->buckets[i].count;
	for (i = 0; i < HIST_BUCKETS; i++)
		hist->bucket[i] = (uint32_t)(count[i] < 0	     ? 0
					     : count[i] > UINT32_MAX ? UINT32_MAX
								     : count[i]);
	if (hist->sum_seconds < 0)
		hist->sum_seconds = 0;
	hist->inside_seconds = inside(hist, interval);
	return 0;
}

double row_oom_kills(const struct row *row)
{
	return row
		->value[row->value_known[SIGNAL_OOM_KILLS] ? SIGNAL_OOM_KILLS : SIGNAL_OOM_EVENTS];
}

int row_hist_add(struct arena *arena, struct row_hist *to, const struct row_hist *from)
{
	int i;

	to->known |= from->known;
	to->count += from->count;
	to->sum_seconds += from->sum_seconds;
	to->inside_seconds += from->inside_seconds;
	if (!from->bucket)
		return 0;
	if (!to->bucket)
		to->bucket = take_buckets(arena);
	if (!to->bucket)
		return -ENOMEM;
	for (i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	return 0;
}

/* ---------------------------------------------------------------- causes */

static int worse_cause(const void *a, const void *b)
{
	const struct row_cause *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return strcmp(x->name, y->name);
}

static bool is_same_cause(const struct reading_cause *a, const struct reading_cause *b)
{
	return a->id || b->id ? a->id == b->id : reading_labels_equal(&a->labels, &b->labels);
}

static double seconds_before(const struct reading_entry *before, const struct reading_cause *now,
			     size_t i)
{
	size_t n;

	/* Lists keep their order, so the cause is near place i. */
	for (n = 0; before && n < before->cause_count; n++) {
		const struct reading_cause *cause = &before->causes[(i + n) % before->cause_count];

		if (is_same_cause(cause, now))
			return cause->seconds;
	}
	return 0;
}

static int make_causes(struct rows *rows, struct row *row, const struct reading_entry *before,
		       const struct reading_entry *now, enum row_level level)
{
	size_t i;

	row->causes = arena_take(&rows->arena, now->cause_count * sizeof(*row->causes));
	if (!row->causes)
		return -ENOMEM;
	for (i = 0; i < now->cause_count; i++) {
		const struct reading_cause *cause = &now->causes[i];
		double seconds = cause->seconds - seconds_before(before, cause, i);

		if (seconds <= 0)
			continue;
		row->causes[row->cause_count].name = make_name(&rows->arena, &cause->labels, level);
		if (!row->causes[row->cause_count].name)
			return -ENOMEM;
		row->causes[row->cause_count].labels = cause->labels;
		row->causes[row->cause_count++].seconds = seconds;
	}
	return 0;
}

/* Merges causes of one name, and sorts them. */
static void order_causes(struct row *row)
{
	const double waited = row->hist[SIGNAL_CPU_WAIT].sum_seconds;
	size_t i, n, kept = 0;

	for (i = 0; i < row->cause_count; i++) {
		for (n = 0; n < kept && strcmp(row->causes[n].name, row->causes[i].name) != 0; n++)
			;
		if (n < kept)
			row->causes[n].seconds += row->causes[i].seconds;
		else
			row->causes[kept++] = row->causes[i];
	}
	row->cause_count = kept;
	/* Causes are read a moment after the waits, so their sum may be larger. */
	for (i = 0; i < kept; i++)
		row->causes[i].share = fmin(1, row->causes[i].seconds / waited);
	if (kept)
		qsort(row->causes, kept, sizeof(*row->causes), worse_cause);
}

/* Finds a row by its name while rows are made. */
struct named_row {
	struct row *row;
	UT_hash_handle hh;
};

static void note_victim(struct row *cause, const struct row *victim, double seconds)
{
	cause->caused_seconds += seconds;
	if (!cause->worst_victim.name || seconds > cause->worst_victim.seconds)
		cause->worst_victim = (struct row_cause){
			.name = victim->name, .labels = victim->labels, .seconds = seconds};
}

/* Finds who waited because of each row. A row is not its own victim. */
static void find_victims(struct rows *rows, struct named_row *table)
{
	struct named_row *named;
	size_t i, n;

	for (i = 0; i < rows->count; i++) {
		const struct row *victim = &rows->rows[i];

		for (n = 0; n < victim->cause_count; n++) {
			HASH_FIND_STR(table, victim->causes[n].name, named);
			if (named && named->row != victim)
				note_victim(named->row, victim, victim->causes[n].seconds);
		}
	}
}

/* ---------------------------------------------------------------- rows */

/*
 * Finds the entry to compare with. NULL: the new one began in the interval, and is compared with
 * zeros. Returns false if nobody can tell what it counted in the interval.
 */
static bool find_earlier(const struct reading *before, const struct reading_entry *now,
			 const struct reading_entry **earlier)
{
	static const struct reading_entry nothing;
	bool took_over = before->time_seconds >= now->joined_since_seconds &&
			 before->time_seconds < now->joined_at_seconds;

	*earlier = NULL;
	if (now->since_seconds > before->time_seconds)
		return true;
	*earlier = reading_find(before, now->id, &now->labels);
	/* If it was there and not listed, it had no counts, and no files that were read. */
	if (!*earlier && now->id && now->id <= before->last_id)
		*earlier = &nothing;
	return *earlier && !took_over;
}

/*
 * A counter's growth. If a probe never counted it, it was 0. If a cgroup's files did not tell it,
 * it is not known.
 */
static int make_counter(const struct rows *rows, struct row *row,
			const struct reading_entry *before, const struct reading_entry *now, int i)
{
	bool is_first = before && !before->value_known[i] && now->value_known[i];

	row->value_known[i] = now->value_known[i] || rows->value_measured[i];
	row->value[i] = now->value[i] - (before ? before->value[i] : 0);
	if (is_first && signal_value_probes[i] == SIGNAL_PROBE_FILES) {
		row->value_known[i] = false;
		row->value[i] = 0;
	}
	return row->value[i] < 0 ? -ESTALE : 0;
}

/* before: NULL if it is new. Returns 0, -ENOMEM, or -ESTALE if it was started anew. */
static int make_row(struct rows *rows, struct row *row, const struct reading_entry *before,
		    const struct reading_entry *now, enum row_level level)
{
	int i, err = 0;

	*row = (struct row){.labels = now->labels, .members = 1, .began = !before};
	for (i = 0; i < SIGNAL_HISTS && !err; i++) {
		row->hist[i].known = rows->hist_measured[i];
		if (now->hist[i].known)
			err = make_hist(&rows->arena, &row->hist[i],
					before ? &before->hist[i] : NULL, &now->hist[i],
					rows->seconds);
	}
	for (i = 0; i < SIGNAL_COUNTERS && !err; i++)
		err = make_counter(rows, row, before, now, i);
	for (; i < SIGNAL_VALUES; i++) {
		row->value_known[i] = now->value_known[i];
		row->value[i] = now->value[i];
	}
	row->name = make_name(&rows->arena, &now->labels, level);
	if (!row->name)
		return -ENOMEM;
	return err ?: make_causes(rows, row, before, now, level);
}

static bool did_anything(const struct row *row)
{
	int i;

	for (i = 0; i < SIGNAL_HISTS; i++)
		if (row->hist[i].count > 0)
			return true;
	for (i = 0; i < SIGNAL_COUNTERS; i++)
		if (row->value[i] > 0)
			return true;
	return false;
}

/* Adds a row to the one of the same name. */
static int merge_row(struct rows *rows, struct row *to, const struct row *from)
{
	size_t count = to->cause_count + from->cause_count;
	struct row_cause *causes = arena_take(&rows->arena, count * sizeof(*causes));
	int i, err = causes ? 0 : -ENOMEM;

	to->members += from->members;
	to->began &= from->began;
	for (i = 0; i < SIGNAL_HISTS && !err; i++)
		err = row_hist_add(&rows->arena, &to->hist[i], &from->hist[i]);
	for (i = 0; i < SIGNAL_VALUES; i++) {
		to->value[i] += from->value[i];
		to->value_known[i] |= from->value_known[i];
	}
	if (err)
		return err;
	memcpy(causes, to->causes, to->cause_count * sizeof(*causes));
	memcpy(causes + to->cause_count, from->causes, from->cause_count * sizeof(*causes));
	to->causes = causes;
	to->cause_count = count;
	return 0;
}

/* Takes in the row behind the last one: merges it into the row of its name, or keeps it there. */
static int place_row(struct rows *rows, struct named_row **table)
{
	struct row *row = &rows->rows[rows->count];
	struct named_row *named;

	HASH_FIND_STR(*table, row->name, named);
	if (named)
		return merge_row(rows, named->row, row);
	named = arena_take(&rows->arena, sizeof(*named));
	if (!named)
		return -ENOMEM;
	named->row = row;
	if (!HASH_TRY_ADD(hh, *table, row->name, strlen(row->name), named))
		return -ENOMEM;
	rows->count++;
	return 0;
}

static void find_measured(struct rows *rows, const struct reading *now)
{
	int i;

	for (i = 0; i < SIGNAL_PROBES; i++)
		rows->probe_missing[i] = true;
	for (i = 0; i < SIGNAL_HISTS; i++) {
		rows->hist_measured[i] = reading_has_hist(now, (enum signal_hist)i);
		if (rows->hist_measured[i])
			rows->probe_missing[signal_hist_probes[i]] = false;
	}
	for (i = 0; i < SIGNAL_VALUES; i++) {
		rows->value_measured[i] = reading_has_value(now, (enum signal_value)i);
		if (rows->value_measured[i])
			rows->probe_missing[signal_value_probes[i]] = false;
	}
}

/*
 * The files of all cgroups are not read at the same moment, so that in a short interval one can
 * seem to use more CPU than there is. most: NAN if it is not known.
 */
static void bound_usage(struct row *row, double most)
{
	row->value[SIGNAL_CPU_USAGE] = fmin(row->value[SIGNAL_CPU_USAGE], most);
}

int rows_make(const struct reading *before, const struct reading *now, enum row_level level,
	      struct rows *out)
{
	struct named_row *table = NULL;
	size_t i;
	int err = 0;

	*out = (struct rows){.level = level,
			     .from_seconds = before->time_seconds,
			     .to_seconds = now->time_seconds,
			     .seconds = now->time_seconds - before->time_seconds};
	if (!reading_follows(now, before))
		return -EINVAL;
	find_measured(out, now);
	out->rows = calloc(now->count + 1, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	for (i = 0; i < now->count && !err; i++) {
		struct row *row = &out->rows[out->count];
		const struct reading_entry *earlier;

		if (!find_earlier(before, &now->entries[i], &earlier))
			continue;
		err = make_row(out, row, earlier, &now->entries[i], level);
		if (!err && did_anything(row))
			err = place_row(out, &table);
		if (err == -ESTALE)
			err = 0;
	}
	for (i = 0; i < out->count; i++) {
		order_causes(&out->rows[i]);
		bound_usage(&out->rows[i], now->node.cpus * out->seconds);
	}
	find_victims(out, table);
	HASH_CLEAR(hh, table);
	return err;
}

int rows_filter(struct rows *rows, const char *regex)
{
	size_t i, kept = 0;
	char reason[256];
	regex_t compiled;
	int err = pattern_compile(&compiled, regex, reason, sizeof(reason));

	if (err)
		return err;
	for (i = 0; i < rows->count; i++)
		if (regexec(&compiled, rows->rows[i].name, 0, NULL, 0) == 0)
			rows->rows[kept++] = rows->rows[i];
	rows->count = kept;
	regfree(&compiled);
	return 0;
}

void rows_free(struct rows *rows)
{
	arena_free(&rows->arena);
	free(rows->rows);
	*rows = (struct rows){0};
}
