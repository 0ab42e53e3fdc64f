/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/watch.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/duration.h"
#include "diagnose/levels.h"
#include "diagnose/reading_scrape.h"
#include "diagnose/verdict.h"
#include "metrics/scrape.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/timer.h"
#include "why/answer.h"

/* A kind of reply that no other request shares: these are not kept for others. */
#define KIND_ALONE 0x40000000u

struct watch {
	struct collector *collector;
	struct record *record;
	struct machine machine;
	struct reading before; /* the last one; empty at first */
	bool has_before;
	int timer_fd;
	uint64_t told_ns; /* when the log said last that memory is missing */
	unsigned int replies;
};

/* ---------------------------------------------------------------- the record */

static double available_memory(const struct reading *reading)
{
	/* NAN if either is not known. */
	return reading->node.memory_available / reading->node.memory_total;
}

static int compare(struct watch *watch, const struct reading *now)
{
	struct growers growers;
	const struct record_surroundings around = {
		.machine = &watch->machine,
		.growers = &growers,
		.available = available_memory(now),
	};
	struct rows rows;
	int err = rows_make(&watch->before, now, ROW_LEVEL_CONTAINER, &rows);

	growers_find(&watch->before, now, &growers);
	err = err ?: record_add(watch->record, &rows, &around);
	rows_free(&rows);
	return err;
}

static int take(struct watch *watch)
{
	struct reading now;
	struct scrape scrape;
	int err;

	collector_update(watch->collector);
	scrape_of(watch->collector, &scrape);
	err = reading_of_scrape(&now, &scrape, clock_monotonic_ns());
	if (err) {
		reading_free(&now);
		return err;
	}
	machine_look(&watch->machine, scrape.node);
	if (watch->has_before)
		err = compare(watch, &now);
	reading_free(&watch->before);
	watch->before = now;
	watch->has_before = true;
	return err;
}

int watch_open(struct collector *collector, struct watch **out)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int err = 0;

	if (!watch)
		return -ENOMEM;
	watch->collector = collector;
	watch->record = record_new();
	watch->timer_fd = timer_open(WATCH_SECONDS);
	if (!watch->record)
		err = -ENOMEM;
	else if (watch->timer_fd < 0)
		err = watch->timer_fd;
	err = err ?: take(watch);
	if (err) {
		log_error("cannot keep a record for `bramble why`: %s", strerror(-err));
		watch_close(watch);
		return err;
	}
	*out = watch;
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->timer_fd >= 0)
		close(watch->timer_fd);
	reading_free(&watch->before);
	record_free(watch->record);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->timer_fd;
}

void watch_turn(struct watch *watch)
{
	int err = timer_expired(watch->timer_fd) ? take(watch) : 0;

	if (err == -ENOMEM && log_is_due(&watch->told_ns, clock_monotonic_ns()))
		log_warn(
			"no memory for the record of `bramble why`: what was lost in the last %d s "
			"is missing in it",
			WATCH_SECONDS);
}

/* ---------------------------------------------------------------- requests */

static bool is_known(const struct watch *watch, const char *who)
{
	const struct subject *subject;
	size_t i;

	for (i = 0; i < watch->before.count; i++)
		if (verdict_is_of(&watch->before.entries[i].labels, who))
			return true;
	for (subject = watch->record->by_name; subject; subject = subject->hh.next)
		if (verdict_is_of(&subject->labels, who))
			return true;
	return false;
}

/* Returns 0, or -EINVAL. */
static int wanted_seconds(const struct http_request *request, unsigned int *seconds)
{
	const char *since = http_query(request, "since");
	uint64_t ns;

	*seconds = WATCH_SINCE_USUAL;
	if (!since)
		return 0;
	if (duration_parse(since, &ns) || ns < WATCH_SINCE_LEAST * NS_PER_S ||
	    ns > WATCH_SINCE_MOST * NS_PER_S)
		return -EINVAL;
	*seconds = (unsigned int)(ns / NS_PER_S);
	return 0;
}

static char *answer(const struct watch *watch, unsigned int seconds, const char *who)
{
	struct verdicts verdicts;
	char *text;

	if (verdicts_find(watch->record, seconds, who, &verdicts))
		return NULL;
	text = why_answer(watch->record, &verdicts, who);
	verdicts_free(&verdicts);
	return text;
}

void watch_reply(struct watch *watch, const struct http_request *request, unsigned int kind,
		 struct http_reply *reply)
{
	const char *who = http_query(request, "pod");
	unsigned int seconds;

	if (wanted_seconds(request, &seconds)) {
		reply_text(reply, 400, "since: must be a duration from 10s to 1h, such as 10m\n");
		return;
	}
	if (who && !is_known(watch, who)) {
		reply_text(reply, 404,
			   "no pod, container or unit of this name has run on this node\n");
		return;
	}
	reply->content_type = "application/json";
	reply->kind = who ? KIND_ALONE | (watch->replies++ & (KIND_ALONE - 1)) : kind + seconds;
	if (http_reply_again(request, reply))
		return;
	reply->status = 200;
	reply->body = answer(watch, seconds, who);
	reply->len = reply->body ? strlen(reply->body) : 0;
}

/* ---------------------------------------------------------------- the last minute */

static void copy_labels(struct labels *to, const struct reading_labels *from)
{
	*to = (struct labels){0};
	snprintf(to->name_space, sizeof(to->name_space), "%s", from->name_space);
	snprintf(to->pod, sizeof(to->pod), "%s", from->pod);
	snprintf(to->container, sizeof(to->container), "%s", from->container);
	snprintf(to->unit, sizeof(to->unit), "%s", from->unit);
}

/* An owner that has series of its own may be named in others. */
static bool has_series(const struct owners *owners, const struct labels *labels)
{
	const struct owner *owner = owners_find(owners, labels);

	return owner && owner_has_series(owner);
}

static struct lost_share *add_share(struct lost_shares *out, const struct verdict *verdict,
				    const struct labels *who, double share)
{
	struct lost_share *lost = &out->list[out->count++];

	*lost = (struct lost_share){
		.cause = cause_kinds[verdict->cause].name, .who = *who, .share = share};
	return lost;
}

/* What others caused is divided among them; the rest is by_unit="other". */
static void add_caused(struct lost_shares *out, const struct owners *owners,
		       const struct verdict *verdict, const struct labels *who, double share)
{
	struct lost_share *lost;
	double rest = 1;
	size_t i;

	for (i = 0; i < verdict->by_count; i++) {
		struct labels by;

		copy_labels(&by, &verdict->by[i].labels);
		if (!has_series(owners, &by) || verdict->by[i].share < CAUSE_SHARE)
			continue;
		lost = add_share(out, verdict, who, share * verdict->by[i].share);
		lost->has_by = true;
		lost->by = by;
		rest -= verdict->by[i].share;
	}
	if (rest < CAUSE_SHARE)
		return;
	lost = add_share(out, verdict, who, share * rest);
	lost->has_by = true;
	lost->by = owner_other.labels;
}

static void add_verdict(struct lost_shares *out, const struct owners *owners,
			const struct verdict *verdict)
{
	/* Several tasks may have lost more than a minute together. */
	double share = fmin(1, verdict->seconds / LEVEL_SECONDS);
	struct labels who;

	copy_labels(&who, &verdict->labels);
	if (!has_series(owners, &who))
		return;
	if (verdict->cause == (enum cause)WAIT_CPU)
		add_caused(out, owners, verdict, &who, share);
	else
		add_share(out, verdict, &who, share);
}

int watch_lost(const struct watch *watch, const struct owners *owners, struct lost_shares *out)
{
	struct verdicts verdicts;
	size_t i;
	int err;

	*out = (struct lost_shares){0};
	err = verdicts_find(watch->record, LEVEL_SECONDS, NULL, &verdicts);
	if (err)
		return err;
	out->list = calloc(verdicts.count * (NOTE_CAUSERS + 1) + 1, sizeof(*out->list));
	for (i = 0; out->list && i < verdicts.count; i++)
		/* What is counted has families of its own, and so has the machine. */
		if (verdicts.list[i].cause < CAUSES_TIMED)
			add_verdict(out, owners, &verdicts.list[i]);
	verdicts_free(&verdicts);
	return out->list ? 0 : -ENOMEM;
}
