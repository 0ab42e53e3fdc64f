/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/ledger_layout.h"

#include "cgroup/files.h"

#define HIST_WORDS (sizeof(struct hist_total) / sizeof(uint64_t))

_Static_assert(sizeof(struct hist_total) == HIST_WORDS * sizeof(union ledger_word) &&
		       sizeof(union ledger_word) == sizeof(const void *),
	       "histograms and labels are read where they stand in an account");
_Static_assert(!offsetof(struct cgroup_values, value), "a value's offset says which one it is");

static struct ledger_row rows[FAMILIES];
static struct ledger_layout layouts[SOURCES];

bool may_not_know(enum family_source source)
{
	return source == SOURCE_FILES;
}

bool has_marks(enum family_source source)
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
		struct ledger_layout *layout = &layouts[family->source];
		struct ledger_row *row = &rows[family - families];

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

const struct ledger_row *row_of(const struct family *family)
{
	return &rows[family - families];
}

const struct ledger_layout *layout_of(enum family_source source)
{
	return &layouts[source];
}

union ledger_word *account_at(const struct ledger *ledger, enum family_source source, size_t i)
{
	return ledger->of[source].words + i * layouts[source].words;
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

uint64_t *known_words(union ledger_word *account, enum family_source source)
{
	return &account[layouts[source].labels].number;
}

uint64_t word_bits(const struct family *family, size_t value, size_t count)
{
	return ((UINT64_C(1) << count) - 1) << (row_of(family)->at + value);
}

bool account_knows_any(union ledger_word *account, const struct family *family, size_t value,
		       size_t count)
{
	return !may_not_know(family->source) ||
	       *known_words(account, family->source) & word_bits(family, value, count);
}

bool account_knows(union ledger_word *account, const struct family *family, size_t value)
{
	return account_knows_any(account, family, value, 1);
}
