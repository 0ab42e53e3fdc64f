/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What `serve` does for `bramble why`: every WATCH_SECONDS it compares the counts of all owners
 * with those before, and adds what was lost to the record (diagnose/record.h). It answers
 * GET /api/v1/why, and says what was lost in the last minute for bramble_findings.
 *
 * It reads as the API does and marks nothing as read: nobody else sees less or more because of it.
 * One thread calls all of this.
 */
#ifndef BRAMBLE_WHY_WATCH_H
#define BRAMBLE_WHY_WATCH_H

#include "http/server.h"
#include "metrics/collector.h"
#include "metrics/lost_shares.h"

#define WATCH_SECONDS	  10

/* What may be asked for, in seconds; and what is if nobody says. */
#define WATCH_SINCE_LEAST WATCH_SECONDS
#define WATCH_SINCE_MOST  3600
#define WATCH_SINCE_USUAL 600

struct watch;

/* Takes a first reading. Returns 0, and the caller gives *out to watch_close(); or a negative
 * errno, after the reason was logged. */
int watch_open(struct collector *collector, struct watch **out);
void watch_close(struct watch *watch);

/* Readable when watch_turn() is due. Owned by the watch. */
int watch_fd(const struct watch *watch);

/* Takes a reading if one is due. */
void watch_turn(struct watch *watch);

/* Answers a request: docs/api.md. kind: of a reply that is for all (http_reply_again()), to which
 * this adds up to WATCH_SINCE_MOST. */
void watch_reply(struct watch *watch, const struct http_request *request, unsigned int kind,
		 struct http_reply *reply);

/* What owners that have series lost in the last minute. Returns 0, and the caller frees the list;
 * or -ENOMEM. */
int watch_lost(const struct watch *watch, const struct owners *owners, struct lost_shares *out);

#endif
