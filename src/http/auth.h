/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Basic authentication (RFC 7617) against bcrypt hashes. A hash takes tens or hundreds of
 * milliseconds, and there is only one thread. So passwords that were found right or wrong are
 * remembered, and only a few new ones are tried in a second. A stranger who guesses cannot keep the
 * probe busy, and cannot lock out a known client.
 */
#ifndef BRAMBLE_AUTH_H
#define BRAMBLE_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "http/web_config.h"

enum auth_verdict {
	AUTH_PASSED,
	AUTH_FAILED,
	AUTH_LATER, /* too many were tried just now */
};

#define AUTH_REMEMBERED 16
#define AUTH_BURST	4 /* passwords that may be tried at once; one more a second */
#define AUTH_DIGEST	32

/* The last passwords that were found right, or wrong. Wrong guesses do not push out right ones. */
struct auth_memory {
	unsigned char digest[AUTH_REMEMBERED][AUTH_DIGEST]; /* of user, hash and password */
	size_t count, next;
};

/* All zero at first. */
struct auth {
	unsigned char key[AUTH_DIGEST]; /* of the digests, random */
	bool has_key;
	struct auth_memory right, wrong;
	double tokens; /* passwords that may be tried now */
	uint64_t filled_ns;
};

/*
 * Whether the Authorization header (NULL: there is none) belongs to one of the users.
 * now_ns: CLOCK_MONOTONIC.
 */
enum auth_verdict auth_check(struct auth *auth, const struct web_config *config,
			     const char *authorization, uint64_t now_ns);

#endif
