/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/history.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/happenings.h"
#include "util/hash.h"

/* Counts stop at the largest value: a heat map only shows that there were very many. */
typedef uint16_t cells_t[HISTORY_COLUMNS][HISTORY_OCTAVES];

struct neighbour {
	char *name;
	struct reading_labels labels;
	double seconds;
};

struct entry {
	char *name;
	struct arena strings; /* of the labels, and of the neighbours */
	struct reading_labels labels;
	cells_t *cells[SIGNAL_HISTS]; /* NULL: it never counted */
	struct neighbour *neighbours;
	size_t neighbour_count;
	struct happenings state;
	struct {
		double from_seconds, to_seconds; /* by the clock of the readings */
	} lasting[WAIT_CAUSES]; /* the last intervals in a row in which it waited */
	struct history_event events[HISTORY_EVENTS];
	uint64_t event_count; /* since the entry was made */
	uint64_t seen;	      /* the last interval in which it ran */
	UT_hash_handle hh;
};

struct history {
	struct entry *entries;
	uint64_t intervals; /* since the start */
	double seconds[HISTORY_COLUMNS];
	uint64_t event_count; /* since the start */
};

struct history *history_new(void)
{
	return calloc(1, sizeof(struct history));
}

static void free_entry(struct entry *entry)
{
	int i;

	for (i = 0; i < SIGNAL_HISTS; i++)
		free(entry->cells[i]);
	free(entry->neighbours);
	arena_free(&entry->strings);
	free(entry->name);
	free(entry);
}

void history_free(struct history *history)
{
	struct entry *entry, *next;

	if (!history)
		return;
	HASH_ITER(hh, history->entries, entry, next) {
		HASH_DEL(history->entries, entry);
		free_entry(entry);
	}
	free(history);
}

static const char *copy(struct arena *arena, const char *text)
{
	const char *copied = text[0] ? arena_string(arena, text) : "";

	return copied ? copied : "";
}

static struct reading_labels copy_labels(struct arena *arena, const struct reading_labels *labels)
{
	return (struct reading_labels){
		.name_space = copy(arena, labels->name_space),
		.pod = copy(arena, labels->pod),
		.container = copy(arena, labels->container),
		.unit = copy(arena, labels->unit),
		.workload_kind = copy(arena, labels->workload_kind),
		.workload = copy(arena, labels->workload),
	};
}

/* The kubelet may tell a workload later than the rest. */
static void update_workload(struct arena *arena, struct reading_labels *labels,
			    const struct reading_labels *now)
{
	if (strcmp(labels->workload, now->workload) == 0 &&
	    strcmp(labels->workload_kind, now->workload_kind) == 0)
		return;
	labels->workload = copy(arena, now->workload);
	labels->workload_kind = copy(arena, now->workload_kind);
}

static struct entry *get_entry(struct history *history, const struct row *row)
{
	struct entry *entry;

	HASH_FIND_STR(history->entries, row->name, entry);
	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->name = strdup(row->name);
	if (!entry->name) {
		free(entry);
		return NULL;
	}
	entry->labels = copy_labels(&entry->strings, &row->labels);
	/* A container that was merely idle until now is no news. */
	entry->state.fresh = row->began;
	if (!HASH_TRY_ADD(hh, history->entries, entry->name, strlen(entry->name), entry)) {
		free_entry(entry);
		return NULL;
	}
	return entry;
}

/* Clears a column of the ring, which still holds an interval of long ago. */
static void clear_column(struct history *history, size_t column)
{
	struct entry *entry, *next;
	int i;

	HASH_ITER(hh, history->entries, entry, next) {
		if (history->intervals - entry->seen > HISTORY_COLUMNS) {
			HASH_DEL(history->entries, entry);
			free_entry(entry);
			continue;
		}
		for (i = 0; i < SIGNAL_HISTS; i++)
			if (entry->cells[i])
				memset((*entry->cells[i])[column], 0,
				       sizeof((*entry->cells[i])[column]));
	}
}

static int add_hist(struct entry *entry, enum signal_hist id, const struct row_hist *hist,
		    size_t column)
{
	uint32_t octaves[HISTORY_OCTAVES] = {0};
	int i;

	if (!hist->bucket)
		return 0;
	if (!entry->cells[id])
		entry->cells[id] = calloc(1, sizeof(*entry->cells[id]));
	if (!entry->cells[id])
		return -ENOMEM;
	for (i = 0; i < HIST_BUCKETS; i++)
		if (hist->bucket[i] && __builtin_add_overflow(octaves[(i + 3) / 4], hist->bucket[i],
							      &octaves[(i + 3) / 4]))
			octaves[(i + 3) / 4] = UINT32_MAX;
	for (i = 0; i < HISTORY_OCTAVES; i++)
		(*entry->cells[id])[column][i] =
			(uint16_t)(octaves[i] < UINT16_MAX ? octaves[i] : UINT16_MAX);
	return 0;
}

static int add_neighbour(struct entry *entry, const struct row_cause *cause)
{
	struct neighbour *neighbours;
	char *name;
	size_t i;

	for (i = 0; i < entry->neighbour_count; i++) {
		if (strcmp(entry->neighbours[i].name, cause->name) != 0)
			continue;
		entry->neighbours[i].seconds += cause->seconds;
		update_workload(&entry->strings, &entry->neighbours[i].labels, &cause->labels);
		return 0;
	}
	neighbours =
		reallocarray(entry->neighbours, entry->neighbour_count + 1, sizeof(*neighbours));
	if (!neighbours)
		return -ENOMEM;
	entry->neighbours = neighbours;
	name = arena_string(&entry->strings, cause->name);
	if (!name)
		return -ENOMEM;
	neighbours[entry->neighbour_count++] = (struct neighbour){
		.name = name,
		.labels = copy_labels(&entry->strings, &cause->labels),
		.seconds = cause->seconds,
	};
	return 0;
}

struct event_target {
	struct history *history;
	struct entry *entry;
	uint64_t at_ns;
};

static void add_event(void *context, const char *text)
{
	const struct event_target *target = context;
	struct entry *entry = target->entry;
	struct history_event *event = &entry->events[entry->event_count++ % HISTORY_EVENTS];

	event->number = ++target->history->event_count;
	event->at_ns = target->at_ns;
	snprintf(event->text, sizeof(event->text), "%s", text);
}

/* An interval in which it waited goes on from the one before, or begins anew. */
static void note_waits(struct entry *entry, const struct finding *finding, const struct rows *rows)
{
	int i;

	for (i = 0; i < WAIT_CAUSES; i++) {
		if (finding->waits[i].share < WAITS_LEAST)
			continue;
		if (entry->lasting[i].to_seconds != rows->from_seconds)
			entry->lasting[i].from_seconds = rows->from_seconds;
		entry->lasting[i].to_seconds = rows->to_seconds;
	}
}

static int add_row(struct history *history, const struct rows *rows, const struct row *row,
		   size_t column, uint64_t at_ns)
{
	struct entry *entry = get_entry(history, row);
	struct event_target target = {.history = history, .entry = entry, .at_ns = at_ns};
	struct finding finding;
	int i, err = 0;
	size_t n;

	if (!entry)
		return -ENOMEM;
	entry->seen = history->intervals;
	update_workload(&entry->strings, &entry->labels, &row->labels);
	for (i = 0; i < SIGNAL_HISTS && !err; i++)
		err = add_hist(entry, (enum signal_hist)i, &row->hist[i], column);
	for (n = 0; n < row->cause_count && !err; n++)
		err = add_neighbour(entry, &row->causes[n]);
	finding_make(rows, row, &finding);
	note_waits(entry, &finding, rows);
	happenings_find(&entry->state, &finding, add_event, &target);
	return err;
}

int history_add(struct history *history, const struct rows *rows, uint64_t at_ns)
{
	size_t i, column = history->intervals % HISTORY_COLUMNS;
	int err = 0;

	clear_column(history, column);
	history->seconds[column] = rows->seconds;
	for (i = 0; i < rows->count && !err; i++)
		err = add_row(history, rows, &rows->rows[i], column, at_ns);
	history->intervals++;
	return err;
}

int history_columns(const struct history *history)
{
	return history->intervals < HISTORY_COLUMNS ? (int)history->intervals : HISTORY_COLUMNS;
}

/* The column of the interval that ended back intervals before the last one. */
static size_t column_of(const struct history *history, int back)
{
	return (history->intervals - 1 - (uint64_t)back) % HISTORY_COLUMNS;
}

double history_seconds(const struct history *history, int count)
{
	double seconds = 0;
	int i;

	for (i = 0; i < count && i < history_columns(history); i++)
		seconds += history->seconds[column_of(history, i)];
	return seconds;
}

static bool has_name(const struct reading_labels *labels, enum row_level level, const char *name)
{
	char own[ROW_NAME_SIZE];

	row_name_write(own, labels, level);
	return strcmp(own, name) == 0;
}

double history_cells(const struct history *history, const char *name, enum row_level level,
		     enum signal_hist hist, int count, uint32_t (*cells)[HISTORY_OCTAVES])
{
	const struct entry *entry;
	int have = history_columns(history), i, octave;
	double sum = 0;

	memset(cells, 0, (size_t)count * sizeof(*cells));
	for (entry = history->entries; entry; entry = entry->hh.next) {
		if (!entry->cells[hist] || !has_name(&entry->labels, level, name))
			continue;
		for (i = 0; i < count && i < have; i++) {
			const uint16_t *from = (*entry->cells[hist])[column_of(history, i)];

			for (octave = 0; octave < HISTORY_OCTAVES; octave++) {
				cells[count - 1 - i][octave] += from[octave];
				sum += from[octave];
			}
		}
	}
	return sum;
}

/* Since when a container waits, if it did until the beginning or the end of the rows' interval;
 * else the beginning. */
static double lasts_since(const struct entry *entry, const struct rows *rows, enum wait_cause cause)
{
	double from = entry->lasting[cause].from_seconds, to = entry->lasting[cause].to_seconds;

	return to == rows->from_seconds || to == rows->to_seconds ? fmin(from, rows->from_seconds)
								  : rows->from_seconds;
}

double history_waits_since(const struct history *history, const struct rows *rows,
			   const struct row *row, enum wait_cause cause)
{
	double since = rows->from_seconds;
	const struct entry *entry;

	if (rows->level == ROW_LEVEL_CONTAINER) {
		HASH_FIND_STR(history->entries, row->name, entry);
		return entry ? lasts_since(entry, rows, cause) : since;
	}
	for (entry = history->entries; entry; entry = entry->hh.next)
		if (has_name(&entry->labels, rows->level, row->name))
			since = fmin(since, lasts_since(entry, rows, cause));
	return since;
}

static int more_seconds(const void *a, const void *b)
{
	const struct row_cause *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Adds seconds to the cause of that name. The list has room for one more. */
static void add_cause(struct arena *arena, struct row_cause *list, size_t *count, const char *name,
		      double seconds)
{
	size_t i;

	for (i = 0; i < *count && strcmp(list[i].name, name) != 0; i++)
		;
	if (i == *count) {
		list[i] = (struct row_cause){.name = arena_string(arena, name)};
		if (!list[i].name)
			return;
		(*count)++;
	}
	list[i].seconds += seconds;
}

/* How many neighbours all entries have together: the most that a list can need. */
static size_t all_neighbours(const struct history *history)
{
	const struct entry *entry;
	size_t count = 0;

	for (entry = history->entries; entry; entry = entry->hh.next)
		count += entry->neighbour_count;
	return count;
}

size_t history_neighbours(const struct history *history, struct arena *arena, const char *name,
			  enum row_level level, bool victims, struct row_cause *list, size_t max)
{
	struct row_cause *all = arena_take(arena, all_neighbours(history) * sizeof(*all));
	const struct entry *entry;
	size_t i, count = 0;

	for (entry = history->entries; all && entry; entry = entry->hh.next) {
		bool is_own = has_name(&entry->labels, level, name);

		if (is_own == victims)
			continue;
		for (i = 0; i < entry->neighbour_count; i++) {
			const struct neighbour *neighbour = &entry->neighbours[i];
			char shown[ROW_NAME_SIZE];

			if (victims && !has_name(&neighbour->labels, level, name))
				continue;
			row_name_write(shown, victims ? &entry->labels : &neighbour->labels, level);
			add_cause(arena, all, &count, shown, neighbour->seconds);
		}
	}
	if (count)
		qsort(all, count, sizeof(*all), more_seconds);
	for (i = 0; i < count && i < max; i++)
		list[i] = all[i];
	return count;
}

/* Puts an event into a list that is sorted, the newest first, and holds at most max. Returns the
 * new count. */
static size_t insert_event(const struct history_event **list, size_t count, size_t max,
			   const struct history_event *event)
{
	size_t i;

	if (count < max)
		list[count++] = NULL;
	for (i = count; i > 0 && (!list[i - 1] || list[i - 1]->number < event->number); i--)
		if (i < count)
			list[i] = list[i - 1];
	if (i < count)
		list[i] = event;
	return count;
}

size_t history_events(const struct history *history, const char *name, enum row_level level,
		      const struct history_event **list, size_t max)
{
	const struct entry *entry;
	size_t i, count = 0;

	for (entry = history->entries; entry; entry = entry->hh.next) {
		if (!has_name(&entry->labels, level, name))
			continue;
		for (i = 0; i < HISTORY_EVENTS; i++)
			if (entry->events[i].number)
				count = insert_event(list, count, max, &entry->events[i]);
	}
	return count;
}
