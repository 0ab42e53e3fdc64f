/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ledger of an owner: every number that is kept for it, in 64 bits. The table of families says
 * which numbers there are and who counts them.
 *
 * A ledger has accounts. An account holds the values of one source under one set of labels: a
 * probe's cells have one account, those of the block probe one for each device and operation, and
 * waits have one for each owner that caused them. An account is an array of words: its labels;
 * if its source may not know a value, one word with a bit for each value; then the values of the
 * source's families, in the order of the table. A value that is not known is 0.
 *
 * Counters and histograms never fall. A gauge follows what it measures. The gauge of a cell holds
 * the sum of what each slot has at the moment, so what a closed slot had is taken from it. A gauge
 * from a source that may not know it is forgotten before each round of readings and summed anew.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_LEDGER_H
#define BRAMBLE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/hist.h"
#include "metrics/families.h"

struct owner;

struct hist_total {
	uint64_t sum_ns;
	uint64_t bucket[HIST_BUCKETS];
};

union ledger_word {
	const void *label;
	uint64_t number;
};

struct ledger {
	struct accounts {
		union ledger_word *words; /* count accounts, one after the other */
		size_t count;
	} of[SOURCES];
};

/*
 * The labels of an account. Labels are equal if they are the same pointers. They are not copied,
 * and must outlive the ledger.
 *   SOURCE_OF_PROBE()  the values of cell_label_names, interned strings
 *   SOURCE_CAUSED      the owner that caused the wait
 *   others             none: labels may be NULL
 */
typedef const void *const *ledger_labels;
#define LEDGER_LABELS(...) ((const void *const[]){__VA_ARGS__})

/* The account of a source with these labels; NULL if there is none. Valid until another one of the
 * source is made or taken out. */
union ledger_word *ledger_find(const struct ledger *ledger, enum family_source source,
			       ledger_labels labels);

/* The same, but made and put behind the others if there is none. NULL: no memory. */
union ledger_word *ledger_get(struct ledger *ledger, enum family_source source,
			      ledger_labels labels);

/* Where an account has a family's value: value is below family_value_count(). */
uint64_t *account_number(union ledger_word *account, const struct family *family, size_t value);
struct hist_total *account_hist(union ledger_word *account, const struct family *family,
				size_t value);
bool account_knows(union ledger_word *account, const struct family *family, size_t value);

/*
 * Adds what a source counted from one reading to the next. now and before are readings as enum
 * source says; before is NULL for a reading of zeros. A counter that is lower than before adds
 * nothing and grows from there on. A gauge may fall, but not below zero. What now does not know
 * adds nothing. Returns how many values did what they must not; or -ENOMEM: nothing was added.
 */
int ledger_add(struct ledger *ledger, enum family_source source, ledger_labels labels,
	       const void *now, const void *before);

/* Which values: a gauge goes with who holds it, a counter stays where it was shown. */
enum ledger_part {
	LEDGER_COUNTERS = 1 << 0, /* and histograms */
	LEDGER_GAUGES = 1 << 1,
	LEDGER_ALL = LEDGER_COUNTERS | LEDGER_GAUGES,
};

/*
 * Adds this part of one ledger to another. cause: NULL, or the owner that all its waits are booked
 * for there. An account for which there is no memory is left out.
 */
void ledger_merge(struct ledger *to, const struct ledger *from, enum ledger_part part,
		  const struct owner *cause);

/* Forgets the gauges of a source that may not know a value: before a round of readings. */
void ledger_forget_gauges(struct ledger *ledger, enum family_source source);

/* Takes out the account of a cause. Returns the time that was waited for it, in ns. */
uint64_t ledger_take_cause(struct ledger *ledger, const struct owner *cause);

/* Whether no value is known. */
bool ledger_is_empty(const struct ledger *ledger);

void ledger_free(struct ledger *ledger);

/* One value of a family. */
struct ledger_value {
	const struct family *family;
	size_t index; /* of the value in its account, below family_value_count() */
	/* Its labels beside the owner's: those of the account, then the family's own. */
	struct label labels[CELL_LABELS_MAX + FAMILY_LABELS_MAX];
	size_t account_labels; /* how many are the account's */
	size_t label_count;
	const struct owner *cause; /* SCOPE_PAIR: who caused the wait */
	bool known;
	/*
	 * Whether it has ever counted, which makes it a series of the exposition. All counters of
	 * a family in an account have as soon as one of them has: the others are 0. The gauges of
	 * a cell have as soon as anything in the cell has.
	 */
	bool counted;
	uint64_t number; /* a counter or a gauge, ns if family->seconds; the count of a histogram */
	const struct hist_total *hist; /* NULL: it is no histogram */
};

typedef void (*ledger_visit_fn)(void *context, const struct ledger_value *value);

/*
 * Calls each for all values of a family, account by account in the order of their making. An
 * account that knows none of the family's values is left out; of others all values are told, also
 * those that are not known.
 */
void ledger_visit(const struct ledger *ledger, const struct family *family, ledger_visit_fn each,
		  void *context);

/* The number of values in a histogram. */
uint64_t hist_total_count(const struct hist_total *hist);

#endif
