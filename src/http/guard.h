/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who may ask the server, according to --web.config.file. When that file, or a file that it names,
 * has changed, it is read again. If it is wrong then, that is logged, and what was read before
 * stays in force. TLS cannot be turned on or off while the server runs.
 */
#ifndef BRAMBLE_GUARD_H
#define BRAMBLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/tls.h"
#include "http/web_config.h"

enum guard_verdict {
	GUARD_LET_IN,
	GUARD_UNAUTHORIZED,
	GUARD_TOO_MANY, /* requests, or passwords that were tried */
};

struct guard;

/*
 * Reads the configuration. Returns 0, or a negative errno after the reason has been
 * logged. The path must outlive the guard.
 */
int guard_open(const char *path, struct guard **out);
void guard_close(struct guard *guard);

/* Reads what has changed, if the last look was at least a second ago. */
void guard_refresh(struct guard *guard, uint64_t now_ns);

/* The TLS settings for a new connection. NULL without TLS. */
struct tls *guard_tls(const struct guard *guard);

/* Whether a request with this Authorization header (or NULL) is answered. */
enum guard_verdict guard_admit(struct guard *guard, const char *authorization, uint64_t now_ns);

/* A header to be sent with every reply, or NULL. */
const char *guard_header(const struct guard *guard, enum web_header header);

#endif
