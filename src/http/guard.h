/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may ask the server, according to --web.config.file. When that file, or a file that it names,
 * has changed and is a second old, it is read again. If it is wrong then, or gives up a protection,
 * that is logged once, and what was read before stays in force. TLS cannot be turned on while the
 * server runs.
 */
#ifndef BRAMBLE_GUARD_H
#define BRAMBLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/auth.h"
#include "http/tls.h"
#include "http/web_config.h"
#include "sandbox/needs.h"

enum guard_verdict {
	GUARD_LET_IN,
	GUARD_UNAUTHORIZED,
	GUARD_TOO_MANY, /* requests, or passwords that were tried */
	GUARD_WAIT,	/* the password is being checked */
};

struct guard;

/*
 * Reads the configuration. Returns 0, or a negative errno after the reason has been
 * logged. The path must outlive the guard.
 */
int guard_open(const char *path, struct guard **out);

/*
 * Makes the thread that checks passwords. Until then no password is let in. Call this after
 * capabilities were dropped, which the thread inherits, and before a filter of system calls that
 * allows no new thread. Returns 0, or a negative errno after the reason has been logged.
 */
int guard_start(struct guard *guard);

/* No ticket may wait any more: guard_drop(). */
void guard_close(struct guard *guard);

/* Reads what has changed, if the last look was at least a second ago. */
void guard_refresh(struct guard *guard, uint64_t now_ns);

/* Reads everything again now, whether or not it has changed. */
void guard_reload(struct guard *guard, uint64_t now_ns);

/* Adds the files that it will read again. */
void guard_need(const struct guard *guard, struct sandbox_needs *needs);

/* The TLS settings for a new connection. NULL without TLS. */
struct tls *guard_tls(const struct guard *guard);

/*
 * Whether a request with this Authorization header (or NULL) is answered. from: the client's
 * address. If the answer is GUARD_WAIT, the ticket comes out of guard_decided() later.
 */
enum guard_verdict guard_admit(struct guard *guard, const char *authorization,
			       const struct sockaddr *from, struct auth_ticket *ticket,
			       uint64_t now_ns);

/* The verdict of a ticket that has waited. */
enum guard_verdict guard_verdict(const struct auth_ticket *ticket);

/* Readable when guard_run() has something to do. */
int guard_fd(const struct guard *guard);

/* Goes on with the passwords that are being checked. */
void guard_run(struct guard *guard, uint64_t now_ns);

/* Takes a ticket that has waited. NULL: there is none. */
struct auth_ticket *guard_decided(struct guard *guard);

/* All tickets that wait get GUARD_TOO_MANY, and come out of guard_decided(). */
void guard_drop(struct guard *guard);

/* Milliseconds until guard_run() has something to do by itself, rounded up; -1: nothing. */
int guard_timeout_ms(const struct guard *guard, uint64_t now_ns);

/* A header to be sent with every reply, or NULL. */
const char *guard_header(const struct guard *guard, enum web_header header);

#endif
