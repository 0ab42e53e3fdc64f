/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/verdict.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/levels.h"
#include "util/array.h"

/* Intervals are a little longer than asked for. */
#define SLACK_SECONDS	2

/* A trouble that was there in the last so many seconds goes on. */
#define GOES_ON_SECONDS 25

/* A causer of at least this share of what was lost is told as one who makes others wait. */
#define CAUSED_SHARE	0.25

/* A note of what is looked at, with its interval. */
struct seen {
	const struct note *note;
	const struct record_interval *interval;
};

/* Reads one number of a note. which: an enum cause. */
typedef double (*note_value)(const struct note *note, int which);

struct judge {
	const struct record *record;
	struct verdicts *out;
	size_t room;
	double minute_seconds;	 /* how long a minute is, if less than one was asked for */
	const struct seen *seen; /* of one subject, in the order of time */
	size_t count;
	const struct subject *subject;
};

static double lost(const struct note *note, int cause)
{
	return note->lost[cause];
}

static double happened(const struct note *note, int cause)
{
	return note->troubles[cause - CAUSES_TIMED];
}

static double length(const struct record_interval *interval)
{
	return interval->to_seconds - interval->from_seconds;
}

/* ---------------------------------------------------------------- a minute, and since when */

/* The worst minute: its notes are first to last. */
struct minute {
	double most;
	size_t first, last;
};

static struct minute worst_minute(const struct judge *judge, int cause, note_value value)
{
	struct minute worst = {0};
	double sum = 0;
	size_t first = 0, i;

	for (i = 0; i < judge->count; i++) {
		double begin = judge->seen[i].interval->to_seconds - LEVEL_SECONDS - SLACK_SECONDS;

		sum += value(judge->seen[i].note, cause);
		for (; first < i && judge->seen[first].interval->from_seconds < begin; first++)
			sum -= value(judge->seen[first].note, cause);
		if (sum > worst.most)
			worst = (struct minute){.most = sum, .first = first, .last = i};
	}
	return worst;
}

/* Takes an interval to the last stretch, or begins a new one after a minute without. */
static void stretch(struct verdict *verdict, const struct record_interval *interval, bool first)
{
	if (first || interval->from_seconds - verdict->until_seconds > LEVEL_SECONDS)
		verdict->since_seconds = interval->from_seconds;
	verdict->until_seconds = interval->to_seconds;
}

/* The last stretch in which it was lost, with no minute in between without. */
static void find_stretch(const struct judge *judge, struct verdict *verdict, note_value value,
			 double least)
{
	bool first = true;
	size_t i;

	for (i = 0; i < judge->count; i++) {
		const struct record_interval *interval = judge->seen[i].interval;

		if (!(value(judge->seen[i].note, (int)verdict->cause) > least * length(interval)))
			continue;
		stretch(verdict, interval, first);
		first = false;
	}
}

/* ---------------------------------------------------------------- one verdict */

/* The next place in the list; NULL without memory. */
static struct verdict *add(struct judge *judge)
{
	struct verdicts *out = judge->out;
	struct verdict *list;

	if (out->count == judge->room) {
		judge->room = 2 * judge->room + 16;
		list = reallocarray(out->list, judge->room, sizeof(*list));
		if (!list)
			return NULL;
		out->list = list;
	}
	return memset(&out->list[out->count++], 0, sizeof(*out->list));
}

static struct verdict *add_of_subject(struct judge *judge, enum cause cause)
{
	struct verdict *verdict = add(judge);

	if (!verdict)
		return NULL;
	verdict->cause = cause;
	verdict->name = judge->subject->name;
	verdict->labels = judge->subject->labels;
	verdict->where = "";
	verdict->window_seconds = judge->out->window_seconds;
	verdict->memory_limit = judge->seen[judge->count - 1].note->memory_limit;
	return verdict;
}

static void finish(const struct judge *judge, struct verdict *verdict)
{
	verdict->goes_on = verdict->until_seconds >= judge->out->now_seconds - GOES_ON_SECONDS;
}

static int more_seconds(const void *a, const void *b)
{
	const struct row_cause *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Causers, as they are added up. Who comes late and finds no place was never among the worst. */
struct causers {
	struct row_cause list[4 * NOTE_CAUSERS];
	size_t count;
};

static void add_causer(struct causers *causers, const struct subject *by, double amount)
{
	size_t i;

	for (i = 0; i < causers->count && strcmp(causers->list[i].name, by->name) != 0; i++)
		;
	if (i == ARRAY_SIZE(causers->list))
		return;
	if (i == causers->count)
		causers->list[causers->count++] =
			(struct row_cause){.name = by->name, .labels = by->labels};
	causers->list[i].seconds += amount;
}

/* The worst of them, with their shares of an amount. */
static void tell_causers(struct causers *causers, struct verdict *verdict, double amount)
{
	size_t i;

	if (causers->count)
		qsort(causers->list, causers->count, sizeof(causers->list[0]), more_seconds);
	for (i = 0; i < causers->count && i < NOTE_CAUSERS; i++) {
		causers->list[i].share = fmin(1, causers->list[i].seconds / amount);
		verdict->by[verdict->by_count++] = causers->list[i];
	}
}

/* Who made it wait for a CPU. */
static void find_causers(const struct judge *judge, struct verdict *verdict)
{
	struct causers causers = {.count = 0};
	size_t i, n;

	for (i = 0; i < judge->count; i++) {
		const struct note *note = judge->seen[i].note;

		for (n = 0; n < note->causer_count; n++)
			add_causer(&causers, judge->record->subjects[note->causer[n]],
				   note->causer_seconds[n]);
	}
	tell_causers(&causers, verdict, verdict->seconds);
}

/* Who took more memory in the intervals in which it stalled for want of some. */
static void find_growers(const struct judge *judge, struct verdict *verdict)
{
	struct causers causers = {.count = 0};
	double bytes = 0;
	size_t i, n;

	for (i = 0; i < judge->count; i++) {
		const struct record_interval *interval = judge->seen[i].interval;

		if (judge->seen[i].note->lost[WAIT_MEMORY] <= 0)
			continue;
		for (n = 0; n < interval->grower_count; n++) {
			add_causer(&causers, judge->record->subjects[interval->grower[n]],
				   interval->grower_bytes[n]);
			bytes += interval->grower_bytes[n];
		}
	}
	tell_causers(&causers, verdict, bytes);
	if (!verdict->by_count)
		return;
	verdict->by_is_hint = true;
	verdict->by_bytes = verdict->by[0].seconds;
	for (i = 0; i < verdict->by_count; i++)
		verdict->by[i].seconds = 0;
}

/* The evidence of the part that took most, of the whole time. */
static void find_evidence(const struct judge *judge, struct verdict *verdict)
{
	const enum cause cause = verdict->cause;
	enum wait_cause of = cause < (int)WAIT_CAUSES ? (enum wait_cause)cause : WAIT_MEMORY;
	const struct note *worst = judge->seen[0].note;
	struct evidence *evidence = &verdict->evidence;
	uint8_t part;
	size_t i;

	for (i = 1; i < judge->count; i++)
		if (judge->seen[i].note->lost[cause] > worst->lost[cause])
			worst = judge->seen[i].note;
	part = worst->part[cause];
	evidence->is_hist = part != NOTE_NO_PART || cause == CAUSE_SLOW_ANSWERS;
	if (cause == CAUSE_SLOW_ANSWERS)
		evidence->hist = SIGNAL_RESPONSE_SERVER;
	else if (part != NOTE_NO_PART)
		evidence->hist = cause_kinds[of].parts[part].hist;
	else
		evidence->counter = cause_kinds[of].counter;
	for (i = 0; i < judge->count && evidence->is_hist; i++) {
		const struct note *note = judge->seen[i].note;

		if (note->part[cause] != part || !note->count[cause])
			continue;
		evidence->count += note->count[cause];
		evidence->p99_seconds =
			fmax(evidence->p99_seconds, row_hist_bound(note->p99[cause]));
	}
	evidence->per_second = evidence->count / verdict->window_seconds;
	if (cause == CAUSE_SLOW_ANSWERS)
		verdict->count = evidence->count;
}

/* Whether what it lost to others is much of the time that it would have run. */
static bool is_much_of_its_time(const struct judge *judge, const struct minute *minute)
{
	double used = 0;
	size_t i;

	for (i = minute->first; i <= minute->last; i++)
		used += judge->seen[i].note->used;
	return minute->most >= LEVEL_CPU_OF_ITS_TIME * (minute->most + used);
}

static int judge_time(struct judge *judge, enum cause cause)
{
	double least = cause_kinds[cause].least;
	struct minute minute = worst_minute(judge, (int)cause, lost);
	struct verdict *verdict;
	size_t i;

	if (!least || minute.most < least * judge->minute_seconds)
		return 0;
	if (cause == (enum cause)WAIT_CPU && !is_much_of_its_time(judge, &minute))
		return 0;
	verdict = add_of_subject(judge, cause);
	if (!verdict)
		return -ENOMEM;
	for (i = 0; i < judge->count; i++)
		verdict->seconds += judge->seen[i].note->lost[cause];
	verdict->share = verdict->seconds / verdict->window_seconds;
	verdict->worst_share = minute.most / judge->minute_seconds;
	verdict->rank = verdict->seconds;
	verdict->since_seconds = judge->seen[minute.first].interval->from_seconds;
	verdict->until_seconds = judge->seen[minute.last].interval->to_seconds;
	find_stretch(judge, verdict, lost, least);
	find_evidence(judge, verdict);
	if (cause == (enum cause)WAIT_CPU)
		find_causers(judge, verdict);
	else if (cause == (enum cause)WAIT_MEMORY)
		find_growers(judge, verdict);
	finish(judge, verdict);
	return 0;
}

/* So many in the worst minute are a trouble. */
static double least_count(enum cause cause, double seconds)
{
	double per_second = cause_kinds[cause].per_second;

	return per_second > 0 ? per_second * seconds : 1;
}

static int judge_count(struct judge *judge, enum cause cause)
{
	struct minute minute = worst_minute(judge, (int)cause, happened);
	struct verdict *verdict;
	size_t i;

	if (minute.most < least_count(cause, judge->minute_seconds))
		return 0;
	verdict = add_of_subject(judge, cause);
	if (!verdict)
		return -ENOMEM;
	for (i = 0; i < judge->count; i++)
		verdict->count += happened(judge->seen[i].note, (int)cause);
	verdict->rank = verdict->count * cause_kinds[cause].weight;
	find_stretch(judge, verdict, happened, 0);
	finish(judge, verdict);
	return 0;
}

static int judge_subject(struct judge *judge)
{
	int cause, err = 0;

	for (cause = 0; cause < (int)CAUSES_TIMED && !err; cause++)
		err = judge_time(judge, (enum cause)cause);
	for (; cause < (int)CAUSES_OF_OWNERS && !err; cause++)
		err = judge_count(judge, (enum cause)cause);
	return err;
}

static int judge_state(struct judge *judge, const struct record_state *state, uint64_t first)
{
	struct verdict found = {
		.cause = state->is.cause,
		.name = "",
		.labels = reading_no_labels,
		.where = state->is.where,
		.window_seconds = judge->out->window_seconds,
		.worst_share = 1,
	};
	struct verdict *verdict;
	uint64_t i;

	for (i = first; i < judge->record->interval_count; i++) {
		const struct record_interval *interval = record_interval(judge->record, i);

		if (!record_held(state, i))
			continue;
		stretch(&found, interval, found.seconds <= 0);
		found.seconds += length(interval);
	}
	if (found.seconds <= 0)
		return 0;
	verdict = add(judge);
	if (!verdict)
		return -ENOMEM;
	found.share = fmin(1, found.seconds / found.window_seconds);
	found.rank = found.seconds;
	*verdict = found;
	finish(judge, verdict);
	return 0;
}

/* ---------------------------------------------------------------- all of them */

static int by_subject(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->note->subject != y->note->subject)
		return x->note->subject < y->note->subject ? -1 : 1;
	return x->interval->from_seconds < y->interval->from_seconds   ? -1
	       : x->interval->from_seconds > y->interval->from_seconds ? 1
								       : 0;
}

static int judge_owners(struct judge *judge, const struct seen *seen, size_t count)
{
	size_t i, n;
	int err = 0;

	for (i = 0; i < count && !err; i = n) {
		for (n = i; n < count && seen[n].note->subject == seen[i].note->subject; n++)
			;
		judge->subject = judge->record->subjects[seen[i].note->subject];
		judge->seen = &seen[i];
		judge->count = n - i;
		err = judge_subject(judge);
	}
	return err;
}

/* Collects the notes of the intervals from this one on. Returns NULL without memory. */
static struct seen *collect(const struct record *record, uint64_t first, size_t *count)
{
	struct seen *seen;
	uint64_t i, n;

	*count = 0;
	if (first < record->interval_count)
		n = record->note_count - record_interval(record, first)->first;
	else
		n = 0;
	seen = calloc(n + 1, sizeof(*seen));
	for (i = first; seen && i < record->interval_count; i++) {
		const struct record_interval *interval = record_interval(record, i);

		for (n = 0; n < interval->count; n++)
			seen[(*count)++] =
				(struct seen){record_note(record, interval->first + n), interval};
	}
	if (seen)
		qsort(seen, *count, sizeof(*seen), by_subject);
	return seen;
}

/* The first interval of what is looked at. */
static uint64_t first_interval(const struct record *record, double seconds)
{
	uint64_t first = record->interval_count - record_kept(record);
	double begin;

	if (!record->interval_count)
		return 0;
	begin = record_interval(record, record->interval_count - 1)->to_seconds - seconds -
		SLACK_SECONDS;
	while (first < record->interval_count &&
	       record_interval(record, first)->from_seconds < begin)
		first++;
	/* On a busy node the last one may be longer than all that was asked for. */
	return first < record->interval_count ? first : record->interval_count - 1;
}

static int ranks_before(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;
	int order;

	if (x->rank != y->rank)
		return x->rank < y->rank ? 1 : -1;
	order = strcmp(x->name, y->name);
	return order ? order : (int)x->cause - (int)y->cause;
}

/*
 * Whether a server may be whom a client waits for. Of connections that open slowly: it turned some
 * away. Of answers: its slow ones took at least half of the time that the client waited.
 */
static bool may_be_slow_for(const struct verdict *server, const struct verdict *client)
{
	if (strcmp(server->name, client->name) == 0)
		return false;
	if (client->evidence.hist == SIGNAL_CONNECT)
		return server->cause == CAUSE_FULL_QUEUE;
	return server->cause == CAUSE_SLOW_ANSWERS && server->seconds >= client->seconds / 2;
}

/* A server of this node that may be whom a client waits for is told as a hint: the worst one. */
static void guess_servers(struct verdicts *verdicts)
{
	struct verdict *client, *server, *end = verdicts->list + verdicts->count;

	for (client = verdicts->list; client < end; client++) {
		if (client->cause != (enum cause)WAIT_NETWORK)
			continue;
		for (server = verdicts->list; server < end; server++) {
			if (client->by_count == 1 || !may_be_slow_for(server, client))
				continue;
			client->by[client->by_count++] = (struct row_cause){
				.name = server->name,
				.labels = server->labels,
				.share = fmin(1, server->rank / client->seconds),
			};
			client->by_is_hint = true;
		}
	}
}

static bool is_caused_by(const struct verdict *verdict, const char *who)
{
	size_t i;

	for (i = 0; i < verdict->by_count; i++)
		if (verdict->by[i].share >= CAUSED_SHARE &&
		    verdict_is_of(&verdict->by[i].labels, who))
			return true;
	return false;
}

/* Leaves what is said of some, and behind it what they have caused. */
static void choose(struct verdicts *verdicts, const char *who)
{
	size_t i, pass, kept = 0, own = 0;

	for (pass = 0; pass < 2; pass++) {
		for (i = kept; i < verdicts->count; i++) {
			struct verdict verdict = verdicts->list[i];
			bool wanted = pass ? is_caused_by(&verdict, who)
					   : verdict.name[0] && verdict_is_of(&verdict.labels, who);

			if (!wanted)
				continue;
			/* In their order, which those behind keep as well. */
			memmove(&verdicts->list[kept + 1], &verdicts->list[kept],
				(i - kept) * sizeof(verdict));
			verdicts->list[kept++] = verdict;
		}
		own = pass ? own : kept;
	}
	verdicts->count = kept;
	verdicts->caused_count = kept - own;
}

static int judge_all(struct judge *judge, uint64_t first)
{
	const struct record *record = judge->record;
	size_t i, count;
	struct seen *seen = collect(record, first, &count);
	int err = seen ? judge_owners(judge, seen, count) : -ENOMEM;

	free(seen);
	for (i = 0; i < record->state_count && !err; i++)
		err = judge_state(judge, &record->states[i], first);
	return err;
}

bool verdict_is_of(const struct reading_labels *labels, const char *who)
{
	char name[ROW_NAME_SIZE];

	if (labels->pod[0] && strcmp(labels->pod, who) == 0)
		return true;
	row_name_write(name, labels, ROW_LEVEL_POD);
	if (strcmp(name, who) == 0)
		return true;
	row_name_write(name, labels, ROW_LEVEL_CONTAINER);
	return strcmp(name, who) == 0;
}

int verdicts_find(const struct record *record, double seconds, const char *who,
		  struct verdicts *out)
{
	uint64_t first = first_interval(record, seconds);
	struct judge judge = {.record = record, .out = out};
	int err;

	*out = (struct verdicts){0};
	if (first == record->interval_count)
		return 0;
	out->now_seconds = record_interval(record, record->interval_count - 1)->to_seconds;
	out->window_seconds = out->now_seconds - record_interval(record, first)->from_seconds;
	judge.minute_seconds = fmin(LEVEL_SECONDS, fmax(seconds, out->window_seconds));
	err = judge_all(&judge, first);
	if (err) {
		verdicts_free(out);
		return err;
	}
	if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), ranks_before);
	guess_servers(out);
	if (who)
		choose(out, who);
	return 0;
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts->list);
	*verdicts = (struct verdicts){0};
}
