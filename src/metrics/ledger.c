/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "cgroup/files.h"
#include "metrics/ledger_layout.h"
#include "metrics/peer.h"

/* ---------------------------------------------------------------- accounts */

union ledger_word *ledger_find(const struct ledger *ledger, enum family_source source,
			       ledger_labels labels)
{
	size_t i, size = layout_of(source)->labels * sizeof(*labels);

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
	size_t i, size = layout_of(source)->words * sizeof(*account);

	if (account)
		return account;
	account = realloc(accounts->words, (accounts->count + 1) * size);
	if (!account)
		return NULL;
	accounts->words = account;
	account = account_at(ledger, source, accounts->count++);
	memset(account, 0, size);
	for (i = 0; i < layout_of(source)->labels; i++)
		account[i].label = labels[i];
	return account;
}

/* Removes an account. The last one takes its place. */
static void remove_account(struct ledger *ledger, enum family_source source,
			   union ledger_word *account)
{
	const union ledger_word *last = account_at(ledger, source, --ledger->of[source].count);

	memmove(account, last, layout_of(source)->words * sizeof(*account));
}

static uint64_t take_account(struct ledger *ledger, union ledger_word *account)
{
	uint64_t wait_ns = *account_number(account, layout_of(SOURCE_CAUSED)->first, 0);

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
	for (family = layout_of(source)->first; family; family = row_of(family)->next)
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
	const struct ledger_row *row = row_of(family);
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

	for (family = layout_of(source)->first; family; family = row_of(family)->next) {
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
	return &account[layout_of(source)->labels].number;
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

	for (family = layout_of(source)->first; to && family; family = row_of(family)->next)
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

	for (family = layout_of(source)->first; family; family = row_of(family)->next) {
		const struct ledger_row *row = row_of(family);
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
		for (family = layout_of(source)->first; family; family = row_of(family)->next) {
			if (family->kind != KIND_GAUGE)
				continue;
			memset(account_number(account, family, 0), 0,
			       row_of(family)->words * sizeof(*account));
			*known_words(account, source) &=
				~word_bits(family, 0, row_of(family)->values);
		}
	}
}
