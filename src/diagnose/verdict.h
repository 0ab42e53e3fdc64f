/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is wrong, as the record has it: who lost time to what, how much, since when, because of
 * whom, and by what evidence. The worst comes first. Only what is beyond the levels of levels.h is
 * said, in the worst minute of what was asked for.
 */
#ifndef BRAMBLE_VERDICT_H
#define BRAMBLE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "diagnose/finding.h"
#include "diagnose/record.h"

struct verdict {
	enum cause cause;
	/* Who; "" and no labels: the machine. All strings are the record's. */
	const char *name;
	struct reading_labels labels;
	const char *where; /* a part of the machine, such as a mount point; "" */

	double window_seconds; /* that were looked at */
	/*
	 * Lost in them, added up over its tasks; and the share of them that this is. Of a state of
	 * the machine: how long it held. Of what is counted: 0.
	 */
	double seconds, share;
	double worst_share;		     /* of the worst minute */
	double since_seconds, until_seconds; /* by the clock of the readings */
	bool goes_on;			     /* until now */

	/* Because of whom, the worst first; the shares are of what was lost. */
	struct row_cause by[NOTE_CAUSERS];
	size_t by_count;
	bool by_is_hint; /* it may be somebody else; there are no seconds then */
	double by_bytes; /* by which the worst of them took more memory; 0: not because of that */

	struct evidence evidence; /* the 99 of 100 are those of the worst interval */
	double count;		  /* of what is counted, and of slow answers */
	double memory_limit;	  /* bytes; 0: none, or not known */
	double rank;		  /* seconds, by which they are ordered */
};

struct verdicts {
	struct verdict *list;
	size_t count;
	double window_seconds; /* that were looked at: fewer than asked for if fewer are kept */
	double now_seconds;    /* the end of the last interval */
	/*
	 * Those of others that whoever was asked for has caused; the last caused_count of the list.
	 */
	size_t caused_count;
};

/* Names as people write them: NAMESPACE/POD, POD, NAMESPACE/POD/CONTAINER, or a unit. */
bool verdict_is_of(const struct reading_labels *labels, const char *who);

/*
 * Judges the last seconds of the record, at least 10. who: only what is said of these; NULL: of
 * all, and of the machine. Returns 0, and the caller gives *out to verdicts_free(); or -ENOMEM.
 * They live until the next record_add().
 */
int verdicts_find(const struct record *record, double seconds, const char *who,
		  struct verdicts *out);
void verdicts_free(struct verdicts *verdicts);

#endif
