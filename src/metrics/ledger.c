/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "cgroup/files.h"
#include "metrics/peer.h"

#define HIST_WORDS (sizeof(struct hist_total) / sizeof(uint64_t))

_Static_assert(sizeof(struct hist_total) == HIST_WORDS * sizeof(union ledger_word) &&
		       sizeof(union ledger_word) == sizeof(const void *),
	       "histograms and labels are read where they stand in an account");
_Static_assert(!offsetof(struct cgroup_values, value), "a value's offset says which one it is");

/* ---------------------------------------------------------------- the layout of accounts */

/* The rows of the table of families, and the accounts of each source. Made once, from the table. */
static struct row {
	const struct family *next; /* of the same source */
	size_t at;		   /* the word of an account where the family's values begin */
	size_t values, words;	   /* how many values there are, and how many words they take */
} rows[FAMILIES];

static struct layout {
	const struct family *first;
	size_t labels; /* how many labels an account has */
	size_t words;
} layouts[SOURCES];

static bool may_not_know(enum family_source source)
{
	return source == SOURCE_FILES;
}

/* Whether its accounts have a mark, in the word behind their labels. */
static bool has_marks(enum family_source source)
{
	return source == SOURCE_PORTS || source == SOURCE_PEERS;
}

/* How many words of the accounts of a family's source are labels. */
static size_t label_count(const struct family *family)
{
	size_t count = 0;

	if (family->source == SOURCE_CAUSED || family->source == SOURCE_PEERS)
		return 1;
	while (family_account_labels(family)[count])
		count++;
	return count;
}

static void __attribute__((constructor)) lay_out(void)
{
	const struct family *family, **link[SOURCES];

	for (family = families; family < families + FAMILIES; family++) {
		struct layout *layout = &layouts[family->source];
		struct row *row = &rows[family - families];

		if (!layout->first) {
			link[family->source] = &layout->first;
			layout->labels = label_count(family);
			layout->words = layout->labels + may_not_know(family->source) +
					has_marks(family->source);
		}
		*link[family->source] = family;
		link[family->source] = &row->next;
		row->at = layout->words;
		row->values = family_value_count(family);
		row->words = row->values * (family->kind == KIND_HISTOGRAM ? HIST_WORDS : 1);
		layout->words += row->words;
	}
}

static const struct row *row_of(const struct family *family)
{
	return &rows[family - families];
}

uint64_t *account_number(union ledger_word *account, const struct family *family, size_t value)
{
	return &account[row_of(family)->at + value].number;
}

struct hist_total *account_hist(union ledger_word *account, const struct family *family,
				size_t value)
{
	return (struct hist_total *)account_number(account, family, value * HIST_WORDS);
}

/* The word that says what an account knows, if its source may not know a value. */
static uint64_t *known_words(union ledger_word *account, enum family_source source)
{
	return &account[layouts[source].labels].number;
}

/* The bits of a family's values from one on. */
static uint64_t word_bits(const struct family *family, size_t value, size_t count)
{
	return ((UINT64_C(1) << count) - 1) << (row_of(family)->at + value);
}

static bool knows(union ledger_word *account, const struct family *family, size_t value,
		  size_t count)
{
	return !may_not_know(family->source) ||
	       *known_words(account, family->source) & word_bits(family, value, count);
}

bool account_knows(union ledger_word *account, const struct family *family, size_t value)
{
	return knows(account, family, value, 1);
}

/* ---------------------------------------------------------------- accounts */

static union ledger_word *account_at(const struct ledger *ledger, enum family_source source,
				     size_t i)
{
	return ledger->of[source].words + i * layouts[source].words;
}

union ledger_word *ledger_find(const struct ledger *ledger, enum family_source source,
			       ledger_labels labels)
{
	size_t i, size = layouts[source].labels * sizeof(*labels);

	for (i = 0; i < ledger->of[source].count; i++) {
		union ledger_word *account = account_at(ledger, source, i);

		if (!size || !memcmp(account, labels, size))
			return account;
	}
	return NULL;
}

union ledger_word *ledger_get(struct ledger *ledger, enum family_source source,
			      ledger_labels labels)
{
	union ledger_word *account = ledger_find(ledger, source, labels);
	struct accounts *accounts = &ledger->of[source];
	size_t i, size = layouts[source].words * sizeof(*account);

	if (account)
		return account;
	account = realloc(accounts->words, (accounts->count + 1) * size);
	if (!account)
		return NULL;
	accounts->words = account;
	account = account_at(ledger, source, accounts->count++);
	memset(account, 0, size);
	for (i = 0; i < layouts[source].labels; i++)
		account[i].label = labels[i];
	return account;
}

/* Removes an account. The last one takes its place. */
static void remove_account(struct ledger *ledger, enum family_source source,
			   union ledger_word *account)
{
	const union ledger_word *last = account_at(ledger, source, --ledger->of[source].count);

	memmove(account, last, layouts[source].words * sizeof(*account));
}

static uint64_t take_account(struct ledger *ledger, union ledger_word *account)
{
	uint64_t wait_ns = *account_number(account, layouts[SOURCE_CAUSED].first, 0);

	remove_account(ledger, SOURCE_CAUSED, account);
	return wait_ns;
}

uint64_t ledger_take_cause(struct ledger *ledger, const struct owner *cause)
{
	union ledger_word *account = ledger_find(ledger, SOURCE_CAUSED, LEDGER_LABELS(cause));

	return account ? take_account(ledger, account) : 0;
}

uint64_t ledger_take_causes(struct ledger *ledger, bool (*is_taken)(const struct owner *cause))
{
	uint64_t wait_ns = 0;
	size_t i = 0;

	while (i < ledger->of[SOURCE_CAUSED].count) {
		union ledger_word *account = account_at(ledger, SOURCE_CAUSED, i);

		if (is_taken(account->label))
			wait_ns += take_account(ledger, account);
		else
			i++;
	}
	return wait_ns;
}

bool ledger_is_empty(const struct ledger *ledger)
{
	enum family_source source;
	size_t i;

	for (source = 0; source < SOURCES; source++)
		for (i = 0; i < ledger->of[source].count; i++)
			if (!may_not_know(source) ||
			    *known_words(account_at(ledger, source, i), source))
				return false;
	return true;
}

void ledger_free(struct ledger *ledger)
{
	int source;

	for (source = 0; source < SOURCES; source++)
		free(ledger->of[source].words);
	*ledger = (struct ledger){0};
}

/* ---------------------------------------------------------------- add */

/* These return how many counters were lower than before, and how many gauges are below zero. */

static int add_hist(struct hist_total *to, const struct hist *now, const struct hist *before)
{
	int i, lower = now->sum_ns < before->sum_ns;

	if (!memcmp(now, before, sizeof(*now))) /* most have not changed since the last reading */
		return 0;
	to->sum_ns += grown(now->sum_ns, before->sum_ns);
	for (i = 0; i < HIST_BUCKETS; i++) {
		uint32_t added = grown32(now->bucket[i], before->bucket[i]);

		to->bucket[i] += added;
		lower += !added && now->bucket[i] != before->bucket[i];
	}
	return lower;
}

static int add_number(uint64_t *to, const struct family *family, uint64_t now, uint64_t before)
{
	if (family->kind == KIND_GAUGE) {
		*to += may_not_know(family->source) ? now : now - before;
		return (int64_t)*to < 0;
	}
	*to += grown(now, before);
	return now < before;
}

static bool reading_knows(const void *reading, const struct family *family, size_t value)
{
	size_t which = family->offset / sizeof(uint64_t) + value;

	return !may_not_know(family->source) ||
	       cgroup_value_known(reading, (enum cgroup_value)which);
}

static int add_row(union ledger_word *account, const struct family *family, const char *now,
		   const char *before)
{
	const struct hist *hist = (const void *)(now + family->offset);
	const struct hist *hist_before = (const void *)(before + family->offset);
	const uint64_t *number = (const void *)hist, *number_before = (const void *)hist_before;
	size_t i;
	int lower = 0;

	for (i = 0; i < row_of(family)->values; i++) {
		if (!reading_knows(now, family, i))
			continue;
		if (family->kind == KIND_HISTOGRAM)
			lower += add_hist(account_hist(account, family, i), &hist[i],
					  &hist_before[i]);
		else
			lower += add_number(account_number(account, family, i), family, number[i],
					    number_before[i]);
		if (may_not_know(family->source))
			*known_words(account, family->source) |= word_bits(family, i, 1);
	}
	return lower;
}

int ledger_add(struct ledger *ledger, enum family_source source, ledger_labels labels,
	       const void *now, const void *before)
{
	static const union {
		union probe_cell cell;
		struct cgroup_values files;
		uint64_t some_ns[PRESSURE_RESOURCES];
		struct port_reading port;
		struct tcp_peer_counts peer;
	} zeros; /* a reading of any source */
	union ledger_word *account = ledger_get(ledger, source, labels);
	const struct family *family;
	int lower = 0;

	if (!account)
		return -ENOMEM;
	for (family = layouts[source].first; family; family = row_of(family)->next)
		lower += add_row(account, family, now, before ? before : &zeros);
	return lower;
}

/* ---------------------------------------------------------------- merge, forget */

static bool is_part(const struct family *family, enum ledger_part part)
{
	return part & (family->kind == KIND_GAUGE ? LEDGER_GAUGES : LEDGER_COUNTERS);
}

static void merge_row(union ledger_word *to, union ledger_word *from, const struct family *family)
{
	const struct row *row = row_of(family);
	size_t i;

	for (i = row->at; i < row->at + row->words; i++)
		to[i].number += from[i].number;
	if (may_not_know(family->source))
		*known_words(to, family->source) |=
			*known_words(from, family->source) & word_bits(family, 0, row->values);
}

/* Returns false without memory for the account. */
static bool merge_account(struct ledger *to, enum family_source source, ledger_labels labels,
			  union ledger_word *from, enum ledger_part part)
{
	const struct family *family;
	union ledger_word *account;

	for (family = layouts[source].first; family; family = row_of(family)->next) {
		if (!is_part(family, part))
			continue;
		account = ledger_get(to, source, labels);
		if (!account)
			return false;
		merge_row(account, from, family);
	}
	return true;
}

/* Under which labels an account is merged into a sum, where its own are too many. */
static const void *label_in_sum(enum family_source source, const void *label,
				const struct owner *cause)
{
	switch (source) {
	case SOURCE_CAUSED:
		return cause;
	case SOURCE_PORTS:
		return label == port_none ? port_none : port_other;
	case SOURCE_PEERS:
		return &peer_other;
	default:
		return label;
	}
}

size_t ledger_merge(struct ledger *to, const struct ledger *from, enum ledger_part part,
		    const struct owner *cause)
{
	enum family_source source;
	const void *in_sum[1];
	size_t i, left_out = 0;

	for (source = 0; source < SOURCES; source++)
		for (i = 0; i < from->of[source].count; i++) {
			union ledger_word *account = account_at(from, source, i);

			in_sum[0] = label_in_sum(source, account->label, cause);
			left_out += !merge_account(
				to, source,
				cause && (source == SOURCE_CAUSED || has_marks(source))
					? in_sum
					: &account->label,
				account, part);
		}
	return left_out;
}

/* ---------------------------------------------------------------- marks */

static uint64_t *mark_of(union ledger_word *account, enum family_source source)
{
	return &account[layouts[source].labels].number;
}

void ledger_mark(struct ledger *ledger, enum family_source source, const void *label, uint64_t mark)
{
	union ledger_word *account = ledger_find(ledger, source, LEDGER_LABELS(label));

	if (account)
		*mark_of(account, source) = mark;
}

/* The first account, from *i on, that is to be ended. NULL: there is none. */
static union ledger_word *find_unmarked(const struct ledger *ledger, enum family_source source,
					ledger_labels other, uint64_t mark, size_t *i)
{
	for (; *i < ledger->of[source].count; ++*i) {
		union ledger_word *account = account_at(ledger, source, *i);

		if (*mark_of(account, source) != mark && account->label != other[0] &&
		    account->label != port_none)
			return account;
	}
	return NULL;
}

/* Merges an account into other's, which is there unless memory ran out. Returns how many are lost.
 */
static size_t merge_into_other(struct ledger *ledger, enum family_source source,
			       ledger_labels other, union ledger_word *from)
{
	union ledger_word *to = ledger_find(ledger, source, other);
	const struct family *family;

	for (family = layouts[source].first; to && family; family = row_of(family)->next)
		merge_row(to, from, family);
	return !to;
}

/* Ends an account. What it had that nobody has read goes to other's. */
static size_t end_account(struct ledger *ledger, struct ledger *unread, enum family_source source,
			  ledger_labels other, union ledger_word *account)
{
	union ledger_word *noted = unread ? ledger_find(unread, source, &account->label) : account;
	size_t lost = noted ? merge_into_other(ledger, source, other, noted) : 0;

	if (unread && noted) {
		lost = lost ?: merge_into_other(unread, source, other, noted);
		remove_account(unread, source, noted);
	}
	remove_account(ledger, source, account);
	return lost;
}

size_t ledger_end_unmarked(struct ledger *ledger, struct ledger *unread, enum family_source source,
			   ledger_labels other, uint64_t mark)
{
	union ledger_word *account;
	size_t i = 0, lost = 0;

	if (!find_unmarked(ledger, source, other, mark, &i))
		return 0;
	/* Now, because it moves the others. */
	ledger_get(ledger, source, other);
	if (unread)
		ledger_get(unread, source, other);
	for (i = 0; (account = find_unmarked(ledger, source, other, mark, &i));)
		lost += end_account(ledger, unread, source, other, account);
	return lost;
}

static void set_counters(union ledger_word *account, enum family_source source,
			 const union ledger_word *to)
{
	const struct family *family;

	for (family = layouts[source].first; family; family = row_of(family)->next) {
		const struct row *row = row_of(family);
		size_t size = row->words * sizeof(*account);

		if (family->kind == KIND_GAUGE)
			continue;
		if (to)
			memcpy(account + row->at, to + row->at, size);
		else
			memset(account + row->at, 0, size);
	}
}

void ledger_set_counters(struct ledger *ledger, const struct ledger *to)
{
	enum family_source source;
	size_t i;

	for (source = 0; source < SOURCES; source++)
		for (i = 0; i < ledger->of[source].count; i++) {
			union ledger_word *account = account_at(ledger, source, i);

			set_counters(account, source, ledger_find(to, source, &account->label));
		}
}

void ledger_forget_gauges(struct ledger *ledger, enum family_source source)
{
	union ledger_word *account;
	const struct family *family;
	size_t i;

	for (i = 0; i < ledger->of[source].count; i++) {
		account = account_at(ledger, source, i);
		for (family = layouts[source].first; family; family = row_of(family)->next) {
			if (family->kind != KIND_GAUGE)
				continue;
			memset(account_number(account, family, 0), 0,
			       row_of(family)->words * sizeof(*account));
			*known_words(account, source) &=
				~word_bits(family, 0, row_of(family)->values);
		}
	}
}

/* ---------------------------------------------------------------- visit */

uint64_t hist_total_count(const struct hist_total *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}

static bool any_number(union ledger_word *words, size_t count)
{
	while (count)
		if (words[--count].number)
			return true;
	return false;
}

static bool has_account_counted(union ledger_word *account, enum family_source source)
{
	const struct family *family;

	for (family = layouts[source].first; family; family = row_of(family)->next)
		if (family->kind != KIND_GAUGE &&
		    any_number(account + row_of(family)->at, row_of(family)->words))
			return true;
	return false;
}

bool ledger_has_counted(const struct ledger *ledger)
{
	enum family_source source;
	size_t i;

	for (source = 0; source < SOURCES; source++)
		for (i = 0; i < ledger->of[source].count; i++)
			if (has_account_counted(account_at(ledger, source, i), source))
				return true;
	return false;
}

/* Whether the numbers of a family have counted in an account: see struct ledger_value. */
static bool have_counted(union ledger_word *account, const struct family *family)
{
	const struct layout *layout = &layouts[family->source];
	const struct row *row = row_of(family);

	if (family->kind == KIND_COUNTER)
		return any_number(account + row->at, row->words);
	return may_not_know(family->source) ||
	       any_number(account + layout->labels, layout->words - layout->labels);
}

static void set_account_labels(struct ledger_value *value, const union ledger_word *account)
{
	const struct family *family = value->family;
	size_t i;

	const char *const *names = family_account_labels(family);

	if (family->source == SOURCE_CAUSED) {
		value->cause = account->label;
		return;
	}
	for (i = 0; i < ACCOUNT_LABELS_MAX && names[i]; i++)
		value->labels[i] = (struct label){names[i], family->source == SOURCE_PEERS
								    ? peer_label(account->label, i)
								    : account[i].label};
	value->account_labels = i;
}

static void set_hist(struct ledger_value *value, const struct hist_total *hist)
{
	value->hist = hist;
	value->number = hist_total_count(hist);
	value->counted = value->number > 0;
}

static void set_number(struct ledger_value *value, uint64_t number, bool counted)
{
	bool below = value->family->kind == KIND_GAUGE && (int64_t)number < 0;

	value->number = below ? 0 : number;
	value->counted = value->known && counted;
}

static void visit_account(union ledger_word *account, const struct family *family,
			  ledger_visit_fn each, void *context)
{
	bool is_hist = family->kind == KIND_HISTOGRAM;
	bool counted = !is_hist && have_counted(account, family);
	struct ledger_value value = {.family = family};

	set_account_labels(&value, account);
	for (; value.index < row_of(family)->values; value.index++) {
		value.label_count =
			value.account_labels +
			family_labels(family, value.index, value.labels + value.account_labels);
		value.known = knows(account, family, value.index, 1);
		if (is_hist)
			set_hist(&value, account_hist(account, family, value.index));
		else
			set_number(&value, *account_number(account, family, value.index), counted);
		each(context, &value);
	}
}

void ledger_visit(const struct ledger *ledger, const struct family *family, ledger_visit_fn each,
		  void *context)
{
	union ledger_word *account;
	size_t i;

	for (i = 0; i < ledger->of[family->source].count; i++) {
		account = account_at(ledger, family->source, i);
		if (knows(account, family, 0, row_of(family)->values))
			visit_account(account, family, each, context);
	}
}
