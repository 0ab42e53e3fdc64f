/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ledger of an owner: all numbers that are kept for it, in 64 bits. The table of families says
 * which numbers there are and who counts them.
 *
 * A ledger has accounts. An account holds the values of one source under one set of labels. The
 * cells of most probes have one account. Those of the block probe have one for each device and
 * operation, and waits have one for each owner that caused them.
 *
 * An account is an array of words. First come its labels. If its source may not know a value, the
 * next word has a bit for each of the account's words: whether it is known. A value that is not
 * known is 0. Then come the values of the source's families, in the order of the table.
 *
 * Counters and histograms never fall. A gauge follows what it measures. In a cell, it holds the
 * sum of what all slots have at the moment: what a closed slot had is subtracted. If its source may
 * not know it, it is forgotten before each round of readings and summed up anew.
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
 * The labels of an account. Equal labels are the same pointers. Only the pointers are copied, and
 * what they point to must outlive the account.
 *   SOURCE_OF_PROBE()  interned strings: the values of family_cell_labels()
 *   SOURCE_CAUSED      the owner that caused the wait
 *   SOURCE_PORTS       the text of a port, port_none or port_other
 *   SOURCE_PEERS       a struct peer, or peer_other: peer.h
 *   any other          none: NULL is allowed
 */
typedef const void *const *ledger_labels;
#define LEDGER_LABELS(...) ((const void *const[]){__VA_ARGS__})

/*
 * Returns the account of a source with these labels; NULL if there is none. It is valid until an
 * account of the source is made or removed.
 */
union ledger_word *ledger_find(const struct ledger *ledger, enum family_source source,
			       ledger_labels labels);

/* The same, but makes the account, behind the others, if there is none. NULL: no memory. */
union ledger_word *ledger_get(struct ledger *ledger, enum family_source source,
			      ledger_labels labels);

/* A family's value in an account of the family's source. value: below family_value_count(). */
uint64_t *account_number(union ledger_word *account, const struct family *family, size_t value);
struct hist_total *account_hist(union ledger_word *account, const struct family *family,
				size_t value);

/* Whether an account knows it. */
bool account_knows(union ledger_word *account, const struct family *family, size_t value);

/*
 * Adds what a source counted between two readings, before and now: what they are is said at enum
 * family_source. before may be NULL: all was 0. A counter that is lower than before adds nothing,
 * and grows from there on. A gauge may fall, but not below zero. A value that now does not know
 * stays. Returns how many counters were lower and how many gauges are below zero; or -ENOMEM, and
 * nothing was added.
 */
int ledger_add(struct ledger *ledger, enum family_source source, ledger_labels labels,
	       const void *now, const void *before);

/* Which values. What a gauge holds moves with its owner. A counter stays where it was shown. */
enum ledger_part {
	LEDGER_COUNTERS = 1 << 0, /* and histograms */
	LEDGER_GAUGES = 1 << 1,
	LEDGER_ALL = LEDGER_COUNTERS | LEDGER_GAUGES,
};

/*
 * Adds a part of one ledger to another. If cause is not NULL, all waits are added for this cause,
 * and what is by port or by peer is added for those that stand for many.
 * An account for which there is no memory is left out. Returns how many were.
 */
size_t ledger_merge(struct ledger *to, const struct ledger *from, enum ledger_part part,
		    const struct owner *cause);

/*
 * Sets the counters and histograms of a ledger to those of another one, which has no accounts
 * beside its own. What the other one has no account for is 0.
 */
void ledger_set_counters(struct ledger *ledger, const struct ledger *to);

/* Forgets the gauges of a source that may not know a value. Before each round of readings. */
void ledger_forget_gauges(struct ledger *ledger, enum family_source source);

/* Removes the account of a cause. Returns the time that was waited because of it, in ns. */
uint64_t ledger_take_cause(struct ledger *ledger, const struct owner *cause);

/* The same for all causes of which this is true. */
uint64_t ledger_take_causes(struct ledger *ledger, bool (*is_taken)(const struct owner *cause));

/* Marks an account of SOURCE_PORTS or SOURCE_PEERS, if there is one with this label. */
void ledger_mark(struct ledger *ledger, enum family_source source, const void *label,
		 uint64_t mark);

/*
 * Removes the accounts of such a source that do not have this mark, but for port_none's and
 * other's. What they had in unread, where they are removed as well, is added to other's in both; or
 * all that they had if unread is NULL. Returns how many are lost, without memory.
 */
size_t ledger_end_unmarked(struct ledger *ledger, struct ledger *unread, enum family_source source,
			   ledger_labels other, uint64_t mark);

/* Whether no value is known. */
bool ledger_is_empty(const struct ledger *ledger);

/* Whether a counter or a histogram is not 0. */
bool ledger_has_counted(const struct ledger *ledger);

void ledger_free(struct ledger *ledger);

/* One value of a family. */
struct ledger_value {
	const struct family *family;
	size_t index; /* of the value in its account, below family_value_count() */
	/* The labels beside the owner's: first those of the account, then the family's own. */
	struct label labels[ACCOUNT_LABELS_MAX + FAMILY_LABELS_MAX];
	size_t account_labels; /* how many of them are the account's; a value may be empty */
	size_t label_count;
	const struct owner *cause; /* SCOPE_PAIR: who caused the wait */
	bool known;
	/*
	 * Whether it is a series of the exposition: a histogram or counter that has counted. As
	 * soon as one counter of a family has, all those in the account are series, with the value
	 * 0. So is a gauge of a cell as soon as anything in the cell has counted, and a gauge of
	 * another source if it is known.
	 */
	bool counted;
	uint64_t number; /* a counter or a gauge, ns if family->seconds; the count of a histogram */
	const struct hist_total *hist; /* NULL: it is no histogram */
};

typedef void (*ledger_visit_fn)(void *context, const struct ledger_value *value);

/*
 * Calls each for the values of a family, account by account in the order in which these were made.
 * Accounts that know none of the family's values are left out. Of any other account all values are
 * visited, also those that are not known.
 */
void ledger_visit(const struct ledger *ledger, const struct family *family, ledger_visit_fn each,
		  void *context);

/* The number of values in a histogram. */
uint64_t hist_total_count(const struct hist_total *hist);

#endif
