/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/finding.h"
#include "diagnose/levels.h"

struct record *record_new(void)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record)
		return NULL;
	/* Memory that was never written to takes no room. */
	record->notes = calloc(RECORD_NOTES, sizeof(*record->notes));
	if (!record->notes) {
		free(record);
		return NULL;
	}
	return record;
}

static void free_subject(struct subject *subject)
{
	arena_free(&subject->strings);
	free(subject);
}

void record_free(struct record *record)
{
	struct subject *subject, *next;

	if (!record)
		return;
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it does not see uthash take them off its list */
	HASH_ITER(hh, record->by_name, subject, next) {
		HASH_DEL(record->by_name, subject);
		free_subject(subject);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	free(record->notes);
	free(record);
}

/* ---------------------------------------------------------------- what is kept */

uint64_t record_kept(const struct record *record)
{
	uint64_t oldest_note =
		record->note_count > RECORD_NOTES ? record->note_count - RECORD_NOTES : 0;
	uint64_t kept = record->interval_count < RECORD_INTERVALS ? record->interval_count
								  : RECORD_INTERVALS;

	if (kept > record->interval_count - record->oldest)
		kept = record->interval_count - record->oldest;
	/* The oldest ones may have lost notes to newer ones. */
	while (kept && record_interval(record, record->interval_count - kept)->first < oldest_note)
		kept--;
	return kept;
}

const struct record_interval *record_interval(const struct record *record, uint64_t number)
{
	return &record->intervals[number % RECORD_INTERVALS];
}

const struct note *record_note(const struct record *record, uint64_t number)
{
	return &record->notes[number % RECORD_NOTES];
}

bool record_held(const struct record_state *state, uint64_t number)
{
	size_t bit = number % RECORD_INTERVALS;

	return state->held[bit / 64] >> bit % 64 & 1;
}

/* Forgets names that no kept interval has. */
static void forget_subjects(struct record *record)
{
	uint64_t oldest = record->interval_count - record_kept(record);
	struct subject *subject, *next;

	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	HASH_ITER(hh, record->by_name, subject, next) {
		if (subject->last >= oldest)
			continue;
		record->subjects[subject->index] = NULL;
		record->subject_count--;
		HASH_DEL(record->by_name, subject);
		free_subject(subject);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

/* ---------------------------------------------------------------- subjects */

static const char *copy(struct subject *subject, const char *text, bool *failed)
{
	const char *copied = text[0] ? arena_string(&subject->strings, text) : "";

	*failed |= !copied;
	return copied;
}

static struct subject *make_subject(const char *name, const struct reading_labels *labels)
{
	struct subject *subject = calloc(1, sizeof(*subject));
	bool failed = false;

	if (!subject)
		return NULL;
	subject->name = arena_string(&subject->strings, name);
	subject->labels = (struct reading_labels){
		.name_space = copy(subject, labels->name_space, &failed),
		.pod = copy(subject, labels->pod, &failed),
		.container = copy(subject, labels->container, &failed),
		.unit = copy(subject, labels->unit, &failed),
		.workload_kind = "",
		.workload = "",
	};
	if (subject->name && !failed)
		return subject;
	free_subject(subject);
	return NULL;
}

static bool place_subject(struct record *record, struct subject *subject)
{
	size_t index = 0;

	while (record->subjects[index])
		index++;
	if (!HASH_TRY_ADD(hh, record->by_name, subject->name, strlen(subject->name), subject)) {
		free_subject(subject);
		return false;
	}
	subject->index = (uint16_t)index;
	record->subjects[index] = subject;
	record->subject_count++;
	return true;
}

/* Forgets the oldest intervals until there is room for one more name. */
static bool make_room(struct record *record)
{
	uint64_t kept;

	while (record->subject_count == RECORD_SUBJECTS && (kept = record_kept(record))) {
		record->oldest = record->interval_count - kept + 1;
		forget_subjects(record);
	}
	return record->subject_count < RECORD_SUBJECTS;
}

/* NULL: there is no place for one more. */
static struct subject *get_subject(struct record *record, const char *name,
				   const struct reading_labels *labels)
{
	struct subject *subject;

	HASH_FIND_STR(record->by_name, name, subject);
	if (!subject && make_room(record)) {
		subject = make_subject(name, labels);
		if (subject && !place_subject(record, subject))
			subject = NULL;
	}
	if (subject)
		subject->last = record->interval_count;
	else
		record->left_out++;
	return subject;
}

/* ---------------------------------------------------------------- notes */

/* The bucket whose upper bound this is. */
static uint8_t bucket_of(double seconds)
{
	double k = isinf(seconds) ? HIST_BUCKETS - 1 : round(4 * log2(seconds)) - HIST_MIN_K;

	return (uint8_t)fmin(fmax(k, 0), HIST_BUCKETS - 1);
}

static uint32_t bounded(double count, double most)
{
	return (uint32_t)fmin(fmax(count, 0), most);
}

static uint8_t part_of(enum wait_cause cause, const struct evidence *evidence)
{
	const struct cause_kind *kind = &cause_kinds[cause];
	size_t i;

	for (i = 0; evidence->is_hist && i < kind->part_count; i++)
		if (kind->parts[i].hist == evidence->hist)
			return (uint8_t)i;
	return NOTE_NO_PART;
}

static void note_wait(struct note *note, enum cause to, const struct finding *finding,
		      enum wait_cause cause)
{
	const struct finding_wait *wait = &finding->waits[cause];

	note->lost[to] = (float)wait->lost_seconds;
	note->part[to] = part_of(cause, &wait->evidence);
	note->count[to] = bounded(wait->evidence.count, UINT32_MAX);
	if (note->count[to])
		note->p99[to] = bucket_of(wait->evidence.p99_seconds);
}

/* Whether who stalls is at a limit of its own: it has hit it, it is nearly at it, or the machine
 * has memory. */
static bool is_at_limit(const struct row *row, double available)
{
	double limit = row->value_known[SIGNAL_MEMORY_LIMIT] ? row->value[SIGNAL_MEMORY_LIMIT] : 0;

	if (row->value_known[SIGNAL_LIMIT_HITS] && row->value[SIGNAL_LIMIT_HITS] > 0)
		return true;
	if (limit > 0 && row->value_known[SIGNAL_WORKING_SET] &&
	    row->value[SIGNAL_WORKING_SET] >= LEVEL_OF_MEMORY_LIMIT * limit)
		return true;
	return available >= LEVEL_MEMORY_AMPLE;
}

static void note_answers(struct note *note, const struct finding_answers *answers)
{
	note->lost[CAUSE_SLOW_ANSWERS] = (float)answers->slow_seconds;
	note->part[CAUSE_SLOW_ANSWERS] = NOTE_NO_PART;
	note->count[CAUSE_SLOW_ANSWERS] = bounded(answers->slow, UINT32_MAX);
	if (answers->slow > 0)
		note->p99[CAUSE_SLOW_ANSWERS] = bucket_of(answers->p99_seconds);
}

static void note_troubles(struct note *note, const struct finding_trouble *troubles)
{
	static const enum trouble of[NOTE_TROUBLES] = {
		[CAUSE_OOM_KILLS - CAUSES_TIMED] = TROUBLE_OOM_KILLS,
		[CAUSE_LOST_PACKETS - CAUSES_TIMED] = TROUBLE_LOST_PACKETS,
		[CAUSE_CONNECT_FAILURES - CAUSES_TIMED] = TROUBLE_CONNECT_FAILURES,
		[CAUSE_FULL_QUEUE - CAUSES_TIMED] = TROUBLE_FULL_QUEUE,
	};
	int i;

	for (i = 0; i < NOTE_TROUBLES; i++)
		note->troubles[i] = (uint16_t)bounded(troubles[of[i]].count, UINT16_MAX);
}

static void make_note(const struct finding *finding, double available, struct note *note)
{
	const struct row *row = finding->row;
	int i;

	*note = (struct note){0};
	for (i = 0; i < WAIT_CAUSES; i++) {
		enum cause to = (enum cause)i;

		if (i == WAIT_MEMORY && is_at_limit(row, available))
			to = CAUSE_MEMORY_LIMIT;
		note_wait(note, to, finding, (enum wait_cause)i);
	}
	note_answers(note, &finding->answers);
	note_troubles(note, finding->troubles);
	if (!isnan(finding->cpu_usage))
		note->used = (float)(finding->cpu_usage * finding->interval_seconds);
	if (row->value_known[SIGNAL_MEMORY_LIMIT])
		note->memory_limit = (float)row->value[SIGNAL_MEMORY_LIMIT];
}

/* Who made it wait for a CPU. It is not its own causer. */
static void note_causers(struct record *record, const struct finding *finding, struct note *note)
{
	size_t i;

	for (i = 0; i < finding->cause_count && note->causer_count < NOTE_CAUSERS; i++) {
		const struct row_cause *cause = &finding->causes[i];
		const struct subject *subject;

		if (strcmp(cause->name, finding->name) == 0)
			continue;
		subject = get_subject(record, cause->name, &cause->labels);
		if (!subject)
			continue;
		note->causer[note->causer_count] = subject->index;
		note->causer_seconds[note->causer_count++] = (float)cause->seconds;
	}
}

/* What it lost, and what happened to it, in seconds: those with the most get the places. */
static double weight(const struct note *note)
{
	double sum = 0;
	int i;

	for (i = 0; i < CAUSES_TIMED; i++)
		sum += note->lost[i];
	for (i = 0; i < NOTE_TROUBLES; i++)
		sum += note->troubles[i] * cause_kinds[CAUSES_TIMED + i].weight;
	return sum;
}

/* The kernel's own waits slow nobody by themselves, and what stands for many is nobody. */
static bool is_nobody(const struct reading_labels *labels)
{
	static const char *const nobodies[] = {"kernel", "overflow", "unknown", "other"};
	size_t i;

	for (i = 0; i < sizeof(nobodies) / sizeof(nobodies[0]); i++)
		if (strcmp(labels->unit, nobodies[i]) == 0)
			return true;
	return false;
}

struct candidate {
	struct finding finding;
	struct note note;
	double weight;
};

static int heavier(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return x->weight < y->weight ? 1 : x->weight > y->weight ? -1 : 0;
}

/* Puts a candidate among those that weigh most, which are at most one more than there are places.
 * Returns how many there are. */
static size_t keep_heaviest(struct candidate *list, size_t count)
{
	if (count <= RECORD_INTERVAL_NOTES)
		return count;
	qsort(list, count, sizeof(*list), heavier);
	return RECORD_INTERVAL_NOTES;
}

static void add_notes(struct record *record, struct record_interval *interval,
		      struct candidate *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct finding *finding = &list[i].finding;
		const struct subject *subject =
			get_subject(record, finding->name, &finding->labels);

		if (!subject)
			continue;
		list[i].note.subject = subject->index;
		note_causers(record, finding, &list[i].note);
		record->notes[record->note_count++ % RECORD_NOTES] = list[i].note;
		interval->count++;
	}
}

static int add_rows(struct record *record, struct record_interval *interval,
		    const struct rows *rows, double available)
{
	/* Sorted only when it is full: then those that do not fit are left out at once. */
	const size_t room = (size_t)2 * RECORD_INTERVAL_NOTES;
	struct candidate *list = calloc(room, sizeof(*list));
	size_t i, count = 0, all = 0;

	if (!list) {
		record->left_out += rows->count;
		return -ENOMEM;
	}
	for (i = 0; i < rows->count; i++) {
		struct candidate *next = &list[count];

		if (is_nobody(&rows->rows[i].labels))
			continue;
		finding_make(rows, &rows->rows[i], &next->finding);
		make_note(&next->finding, available, &next->note);
		next->weight = weight(&next->note);
		if (next->weight < WAITS_LEAST * rows->seconds)
			continue;
		all++;
		if (++count == room)
			count = keep_heaviest(list, count);
	}
	count = keep_heaviest(list, count);
	record->left_out += all - count;
	add_notes(record, interval, list, count);
	free(list);
	return 0;
}

/* ---------------------------------------------------------------- the machine */

static struct record_state *get_state(struct record *record, const struct machine_state *is)
{
	struct record_state *oldest = NULL;
	size_t i;

	for (i = 0; i < record->state_count; i++) {
		struct record_state *state = &record->states[i];

		if (state->is.cause == is->cause && strcmp(state->is.where, is->where) == 0)
			return state;
		if (!oldest || state->last < oldest->last)
			oldest = state;
	}
	if (record->state_count < MACHINE_STATES_MAX)
		oldest = &record->states[record->state_count++];
	*oldest = (struct record_state){.is = *is};
	return oldest;
}

static void add_states(struct record *record, const struct machine *machine)
{
	size_t i, bit = record->interval_count % RECORD_INTERVALS;

	for (i = 0; i < record->state_count; i++)
		record->states[i].held[bit / 64] &= ~(UINT64_C(1) << bit % 64);
	for (i = 0; i < machine->count; i++) {
		struct record_state *state = get_state(record, &machine->states[i]);

		state->held[bit / 64] |= UINT64_C(1) << bit % 64;
		state->last = record->interval_count;
	}
}

/* Their names take room only if somebody stalled for want of memory. */
static void add_growers(struct record *record, struct record_interval *interval,
			const struct growers *growers)
{
	const struct subject *subject;
	bool stalled = false;
	uint64_t n;
	size_t i;

	for (n = interval->first; n < record->note_count; n++)
		stalled |= record_note(record, n)->lost[WAIT_MEMORY] > 0;
	for (i = 0; stalled && i < growers->count; i++) {
		const struct grower *grower = &growers->list[i];

		subject = get_subject(record, grower->name, &grower->labels);
		if (!subject)
			continue;
		interval->grower[interval->grower_count] = subject->index;
		interval->grower_bytes[interval->grower_count++] = (float)grower->bytes;
	}
}

int record_add(struct record *record, const struct rows *rows,
	       const struct record_surroundings *around)
{
	struct record_interval *interval =
		&record->intervals[record->interval_count % RECORD_INTERVALS];
	int i, err;

	*interval = (struct record_interval){.from_seconds = rows->from_seconds,
					     .to_seconds = rows->to_seconds,
					     .first = record->note_count};
	for (i = 0; i < WAIT_CAUSES; i++)
		record->measured[i] = waits_measured(rows, (enum wait_cause)i);
	add_states(record, around->machine);
	err = add_rows(record, interval, rows, around->available);
	add_growers(record, interval, around->growers);
	record->interval_count++;
	forget_subjects(record);
	return err;
}
