/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "cgroup/files.h"

#define HIST_WORDS (sizeof(struct hist_total) / sizeof(uint64_t))

_Static_assert(sizeof(struct hist_total) == HIST_WORDS * sizeof(union ledger_word) &&
		       sizeof(union ledger_word) == sizeof(const void *),
	       "histograms and labels are read where they stand in an account");
_Static_assert(!offsetof(struct cgroup_values, value), "a value's offset says which one it is");

/* ---------------------------------------------------------------- the layout of accounts */

static bool may_not_know(enum family_source source)
{
	return source == SOURCE_FILES;
}

static size_t label_count(enum family_source source)
{
	size_t count = 0;

	if (source == SOURCE_CAUSED)
		return 1;
	if (source < SOURCE_CELLS || source >= SOURCE_OF_PROBE(PROBES))
		return 0;
	while (count < CELL_LABELS_MAX && cell_label_names[source - SOURCE_CELLS][count])
		count++;
	return count;
}

/* How many words of an account one value of a family takes, and all of them. */
static size_t value_width(const struct family *family)
{
	return family->kind == KIND_HISTOGRAM ? HIST_WORDS : 1;
}

static size_t width(const struct family *family)
{
	return family_value_count(family) * value_width(family);
}

/* Follows from the table of families alone. */
static struct {
	const struct family *first[SOURCES]; /* the rows of a source */
	const struct family *next[FAMILIES];
	size_t at[FAMILIES];	/* the word of an account where a family's values begin */
	size_t labels[SOURCES]; /* how many labels an account has */
	size_t words[SOURCES];	/* in an account */
} layout;

static void __attribute__((constructor)) make_layout(void)
{
	const struct family *family, **link[SOURCES];
	int i;

	for (i = 0; i < SOURCES; i++) {
		link[i] = &layout.first[i];
		layout.labels[i] = label_count((enum family_source)i);
		layout.words[i] = layout.labels[i] + may_not_know((enum family_source)i);
	}
	for (family = families; family < families + FAMILIES; family++) {
		i = (int)(family - families);
		layout.at[i] = layout.words[family->source];
		layout.words[family->source] += width(family);
		*link[family->source] = family;
		link[family->source] = &layout.next[i];
	}
}

static const struct family *next_row(const struct family *family)
{
	return layout.next[family - families];
}

static size_t at(const struct family *family, size_t value)
{
	return layout.at[family - families] + value * value_width(family);
}

uint64_t *account_number(union ledger_word *account, const struct family *family, size_t value)
{
	return &account[at(family, value)].number;
}

struct hist_total *account_hist(union ledger_word *account, const struct family *family,
				size_t value)
{
	return (struct hist_total *)account_number(account, family, value);
}

/* What an account knows, if its source may not know a value: a bit for each of its words. */
static uint64_t *known_words(union ledger_word *account, enum family_source source)
{
	return &account[layout.labels[source]].number;
}

static uint64_t word_bit(const struct family *family, size_t value)
{
	return UINT64_C(1) << at(family, value);
}

bool account_knows(union ledger_word *account, const struct family *family, size_t value)
{
	return !may_not_know(family->source) ||
	       *known_words(account, family->source) & word_bit(family, value);
}

/* ---------------------------------------------------------------- accounts */

static union ledger_word *account_at(const struct ledger *ledger, enum family_source source,
				     size_t i)
{
	return ledger->of[source].words + i * layout.words[source];
}

union ledger_word *ledger_find(const struct ledger *ledger, enum family_source source,
			       ledger_labels labels)
{
	size_t i, size = layout.labels[source] * sizeof(*labels);

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
	size_t i, size = layout.words[source] * sizeof(*account);

	if (account)
		return account;
	account = realloc(accounts->words, (accounts->count + 1) * size);
	if (!account)
		return NULL;
	accounts->words = account;
	account = account_at(ledger, source, accounts->count++);
	memset(account, 0, size);
	for (i = 0; i < layout.labels[source]; i++)
		account[i].label = labels[i];
	return account;
}

static uint64_t *caused_ns(union ledger_word *account)
{
	return account_number(account, layout.first[SOURCE_CAUSED], 0);
}

uint64_t ledger_take_cause(struct ledger *ledger, const struct owner *cause)
{
	struct accounts *accounts = &ledger->of[SOURCE_CAUSED];
	union ledger_word *last,
		*account = ledger_find(ledger, SOURCE_CAUSED, LEDGER_LABELS(cause));
	uint64_t wait_ns;

	if (!account)
		return 0;
	wait_ns = *caused_ns(account);
	last = account_at(ledger, SOURCE_CAUSED, --accounts->count);
	memmove(account, last, layout.words[SOURCE_CAUSED] * sizeof(*account));
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

/* These return how many of the values did what they must not. */

static int add_hist(struct hist_total *to, const struct hist *now, const struct hist *before)
{
	int i, lower = now->sum_ns < before->sum_ns;

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

static int add_row(union ledger_word *account, const struct family *family, const void *now,
		   const void *before)
{
	size_t i, size = family->kind == KIND_HISTOGRAM ? sizeof(struct hist) : sizeof(uint64_t);
	static const struct hist zeros;
	int lower = 0;

	for (i = 0; i < family_value_count(family); i++) {
		const void *value = (const char *)now + family->offset + i * size;
		const void *old = &zeros;

		if (before)
			old = (const char *)before + family->offset + i * size;
		if (!reading_knows(now, family, i))
			continue;
		if (family->kind == KIND_HISTOGRAM)
			lower += add_hist(account_hist(account, family, i), value, old);
		else
			lower += add_number(account_number(account, family, i), family,
					    *(const uint64_t *)value, *(const uint64_t *)old);
		if (may_not_know(family->source))
			*known_words(account, family->source) |= word_bit(family, i);
	}
	return lower;
}

int ledger_add(struct ledger *ledger, enum family_source source, ledger_labels labels,
	       const void *now, const void *before)
{
	union ledger_word *account = ledger_get(ledger, source, labels);
	const struct family *family;
	int lower = 0;

	if (!account)
		return -ENOMEM;
	for (family = layout.first[source]; family; family = next_row(family))
		lower += add_row(account, family, now, before);
	return lower;
}

/* ---------------------------------------------------------------- merge, forget */

static bool is_part(const struct family *family, enum ledger_part part)
{
	return part & (family->kind == KIND_GAUGE ? LEDGER_GAUGES : LEDGER_COUNTERS);
}

static bool has_part(enum family_source source, enum ledger_part part)
{
	const struct family *family = layout.first[source];

	while (family && !is_part(family, part))
		family = next_row(family);
	return family;
}

/* The bits of a family's words. */
static uint64_t word_bits(const struct family *family)
{
	return ((UINT64_C(1) << width(family)) - 1) << at(family, 0);
}

static void merge_account(union ledger_word *to, union ledger_word *from, enum family_source source,
			  enum ledger_part part)
{
	const struct family *family;
	size_t i;

	for (family = layout.first[source]; family; family = next_row(family)) {
		if (!is_part(family, part))
			continue;
		for (i = at(family, 0); i < at(family, 0) + width(family); i++)
			to[i].number += from[i].number;
		if (may_not_know(source))
			*known_words(to, source) |= *known_words(from, source) & word_bits(family);
	}
}

static void merge_source(struct ledger *to, const struct ledger *from, enum family_source source,
			 enum ledger_part part, const struct owner *cause)
{
	const void *const one_cause[] = {cause};
	union ledger_word *from_account, *account;
	size_t i;

	for (i = 0; i < from->of[source].count; i++) {
		from_account = account_at(from, source, i);
		if (cause && source == SOURCE_CAUSED)
			account = ledger_get(to, source, one_cause);
		else
			account = ledger_get(to, source, &from_account->label);
		if (account)
			merge_account(account, from_account, source, part);
	}
}

void ledger_merge(struct ledger *to, const struct ledger *from, enum ledger_part part,
		  const struct owner *cause)
{
	enum family_source source;

	for (source = 0; source < SOURCES; source++)
		if (has_part(source, part))
			merge_source(to, from, source, part, cause);
}

void ledger_forget_gauges(struct ledger *ledger, enum family_source source)
{
	union ledger_word *account;
	const struct family *family;
	size_t i, k;

	for (i = 0; i < ledger->of[source].count; i++) {
		account = account_at(ledger, source, i);
		for (family = layout.first[source]; family; family = next_row(family)) {
			if (family->kind != KIND_GAUGE)
				continue;
			for (k = 0; k < width(family); k++)
				*account_number(account, family, k) = 0;
			*known_words(account, source) &= ~word_bits(family);
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

/* Whether a family's numbers have counted in an account: see struct ledger_value. */
static bool have_counted(union ledger_word *account, const struct family *family)
{
	size_t from = layout.labels[family->source];

	if (family->kind == KIND_COUNTER)
		return any_number(account + at(family, 0), width(family));
	return may_not_know(family->source) ||
	       any_number(account + from, layout.words[family->source] - from);
}

static bool knows_any(union ledger_word *account, const struct family *family)
{
	return !may_not_know(family->source) ||
	       *known_words(account, family->source) & word_bits(family);
}

static void set_account_labels(struct ledger_value *value, const union ledger_word *account)
{
	enum family_source source = value->family->source;
	size_t i;

	if (source == SOURCE_CAUSED) {
		value->cause = account->label;
		return;
	}
	value->account_labels = layout.labels[source];
	for (i = 0; i < value->account_labels; i++)
		value->labels[i] = (struct label){cell_label_names[source - SOURCE_CELLS][i],
						  account[i].label};
}

static void visit_account(union ledger_word *account, const struct family *family,
			  ledger_visit_fn each, void *context)
{
	struct ledger_value value = {.family = family};
	bool is_hist = family->kind == KIND_HISTOGRAM;
	bool counted = !is_hist && have_counted(account, family);

	set_account_labels(&value, account);
	for (; value.index < family_value_count(family); value.index++) {
		value.label_count =
			value.account_labels +
			family_labels(family, value.index, value.labels + value.account_labels);
		value.known = account_knows(account, family, value.index);
		if (is_hist)
			value.hist = account_hist(account, family, value.index);
		else
			value.number = *account_number(account, family, value.index);
		if (family->kind == KIND_GAUGE && (int64_t)value.number < 0)
			value.number = 0;
		value.counted = is_hist ? hist_total_count(value.hist) > 0 : value.known && counted;
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
		if (knows_any(account, family))
			visit_account(account, family, each, context);
	}
}
