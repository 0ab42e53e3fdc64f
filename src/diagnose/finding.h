/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A finding: what one row waited for in an interval, because of whom, and what else is wrong with
 * it. All that a sentence, an event or a page says is decided here.
 */
#ifndef BRAMBLE_FINDING_H
#define BRAMBLE_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "diagnose/rows.h"
#include "diagnose/waits.h"

/* What was counted in the interval: a histogram, or only a counter. */
struct evidence {
	bool is_hist;
	union {
		enum signal_hist hist;
		enum signal_value counter;
	};
	/* Of a histogram; 0 else. */
	double count, per_second;
	double p99_seconds; /* the bound of a bucket; infinity above the last one */
};

struct finding_wait {
	bool known;	/* false: nobody measures it here; all else is 0 then */
	double seconds; /* waited in the interval, added up over its tasks */
	double share;	/* of the interval: above 1 if several tasks waited */
	/*
	 * What of it no healthy container would wait: for a CPU, waits of at least 1 ms while
	 * somebody else ran; for the network, answers that were slow (levels.h), and connects. Of
	 * any other cause it is all.
	 */
	double lost_seconds;
	double since_seconds; /* when this wait began, by the clock of the readings */
	struct evidence evidence;
};

enum trouble {
	TROUBLE_OOM_KILLS,
	TROUBLE_LOST_PACKETS, /* TCP segments sent again */
	TROUBLE_CONNECT_FAILURES,
	TROUBLE_FULL_QUEUE, /* connections that its accept queue turned away */
	TROUBLE_RESETS,
	TROUBLES,
};

struct finding_trouble {
	bool known;  /* false: nobody measures it here */
	bool is_bad; /* enough to be said */
	double count, per_second;
};

/* How much of the time of its answers is explained by nothing that it waited for. */
enum own_time {
	OWN_TIME_LITTLE, /* less than half of it */
	OWN_TIME_MOST,
	OWN_TIME_ALL, /* more than nine tenths */
};

/* Its own answers to others. */
struct finding_answers {
	bool are_slow;
	double p99_seconds; /* 0: there were none */
	enum own_time own;
	double slow, slow_seconds; /* answers that took long (levels.h), and how long they took */
};

/* Others that waited for a CPU because of it. */
struct finding_victims {
	bool are_many;	       /* enough to be said */
	double seconds, share; /* of all of them; of the interval */
	const char *worst;     /* who waited most; NULL: nobody did */
	struct reading_labels worst_labels;
};

struct finding {
	/* Who. */
	const char *name;
	struct reading_labels labels; /* of the first one that the row is made of */
	unsigned int members;	      /* how many containers and units the row is made of */
	const struct row *row;	      /* all that was counted */

	/* What it waited for, by cause; the sum. */
	double interval_seconds;
	struct finding_wait waits[WAIT_CAUSES];
	double seconds, share;
	/* Those to be said, the longest first. None: it hardly waited. */
	enum wait_cause main[2];
	size_t main_count;

	/* Because of whom it waited for a CPU: the worst first, and how many are to be said. */
	const struct row_cause *causes;
	size_t cause_count, main_causes;

	/* What else there is to say. */
	double cpu_usage; /* CPUs; NAN: not measured */
	bool is_busy;
	struct finding_answers answers;
	struct finding_victims victims;
	struct finding_trouble troubles[TROUBLES];
};

/*
 * Makes the finding of a row. Its waits begin where the interval does. It points into the rows, and
 * to what they point to, which must outlive it.
 */
void finding_make(const struct rows *rows, const struct row *row, struct finding *out);

/* Decides how many of its causes are to be said. */
void finding_choose_causes(struct finding *finding);

#endif
