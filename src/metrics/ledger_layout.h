/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where values stand in an account of a ledger. Made once, from the table of families. Only for
 * ledger*.c.
 */
#ifndef BRAMBLE_LEDGER_LAYOUT_H
#define BRAMBLE_LEDGER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/ledger.h"

/* A row of the table of families. */
struct ledger_row {
	const struct family *next; /* of the same source */
	size_t at;		   /* the word of an account where the family's values begin */
	size_t values, words;	   /* how many values there are, and how many words they take */
};

/* The accounts of a source. */
struct ledger_layout {
	const struct family *first;
	size_t labels; /* how many labels an account has */
	size_t words;
};

const struct ledger_row *row_of(const struct family *family);
const struct ledger_layout *layout_of(enum family_source source);

/* Whether a source may not know a value. */
bool may_not_know(enum family_source source);

/* Whether its accounts have a mark, in the word behind their labels. */
bool has_marks(enum family_source source);

/* The account number i, below their count. */
union ledger_word *account_at(const struct ledger *ledger, enum family_source source, size_t i);

/* The word that says what an account knows, if its source may not know a value. */
uint64_t *known_words(union ledger_word *account, enum family_source source);

/* The bits of a family's values in that word, from one value on. */
uint64_t word_bits(const struct family *family, size_t value, size_t count);

/* Whether an account knows any of a family's values, from one on. */
bool account_knows_any(union ledger_word *account, const struct family *family, size_t value,
		       size_t count);

#endif
