/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Basic authentication (RFC 7617) against bcrypt hashes.
 *
 * A hash takes tens or hundreds of milliseconds. So passwords that were found right or wrong are
 * remembered, by a keyed digest. A new one waits in a queue for the thread of hasher.h, and its
 * request waits with it. That thread works at most a tenth of the time: after a hash that took t,
 * nothing is hashed for 9 t.
 *
 * A stranger who guesses can then neither keep the probe busy nor lock out others:
 *  - a remembered right password passes at once;
 *  - each address may try AUTH_BURST passwords at once and one more a second, and has at most
 *    AUTH_JOBS_EACH in the queue;
 *  - the next to be hashed is a password of the address whose last one is longest ago, and among
 *    those that never had one, of the one that asked least often. If the queue is full, the address
 *    with most places gives one up, or else the one that would be the last;
 *  - a password stays in the queue when its client has gone. So it passes when it comes again.
 *
 * A user who does not exist takes as long as one who does: a hash of the greatest cost there is.
 *
 * All functions belong to the thread of the event loop.
 */
#ifndef BRAMBLE_AUTH_H
#define BRAMBLE_AUTH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/auth_clients.h"
#include "http/web_config.h"

enum auth_verdict {
	AUTH_PASSED,
	AUTH_FAILED,
	AUTH_LATER, /* too many were tried just now */
	AUTH_WAIT,  /* the ticket tells later */
};

#define AUTH_JOBS	  16 /* passwords in the queue */
#define AUTH_JOBS_EACH	  2
#define AUTH_TICKETS	  24 /* requests that wait */
#define AUTH_TICKETS_EACH 4
#define AUTH_WAIT_S	  20 /* then a request is answered with AUTH_LATER */
#define AUTH_REST	  9  /* times as long as a hash took */

struct auth;
struct auth_job;

/* A request that waits for a verdict. It is the caller's, and must stay where it is until
 * auth_decided() returns it. */
struct auth_ticket {
	enum auth_verdict verdict;
	struct auth_client *client;
	struct auth_job *job; /* NULL: the verdict is known */
	uint64_t until_ns;
	struct auth_ticket *prev, *next;
};

/* Returns 0 or a negative errno. Without auth_start() no new password is tried. */
int auth_new(struct auth **out);

/* Makes the thread: see hasher_start(). Returns 0 or a negative errno. */
int auth_start(struct auth *auth);

/* No ticket may wait any more. It takes as long as the hash that is under way. */
void auth_free(struct auth *auth);

/* Readable when auth_run() has something to do. */
int auth_fd(const struct auth *auth);

/*
 * Whether the Authorization header (NULL: there is none) belongs to one of the users. from: the
 * client's address. If the answer is AUTH_WAIT, the ticket waits, and comes out of auth_decided()
 * after AUTH_WAIT_S at the latest. now_ns: CLOCK_MONOTONIC.
 */
enum auth_verdict auth_check(struct auth *auth, const struct web_config *config,
			     const char *authorization, const struct sockaddr *from,
			     struct auth_ticket *ticket, uint64_t now_ns);

/* Takes what was hashed, and begins what is next. */
void auth_run(struct auth *auth, uint64_t now_ns);

/* Takes a ticket that waited and has its verdict now. NULL: there is none. */
struct auth_ticket *auth_decided(struct auth *auth);

/* Empties the queue: the tickets get AUTH_LATER. For a change of the users, and at the end. */
void auth_drop(struct auth *auth);

/* Milliseconds until auth_run() or auth_decided() has something to do by itself, rounded up; -1:
 * nothing. */
int auth_timeout_ms(const struct auth *auth, uint64_t now_ns);

#endif
