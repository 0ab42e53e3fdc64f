/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Clients that were turned away, and not for what they asked: how many, and why. A stranger can
 * cause this, so each reason is logged at most once a minute, however many clients come.
 */
#ifndef BRAMBLE_REFUSALS_H
#define BRAMBLE_REFUSALS_H

#include <stdint.h>

enum refusal {
	REFUSAL_NONE,
	REFUSAL_PLAIN_HTTP,	    /* HTTP where TLS is spoken */
	REFUSAL_TLS_TO_PLAIN,	    /* TLS where HTTP is spoken */
	REFUSAL_NO_TLS,		    /* neither */
	REFUSAL_VERSION,	    /* no version of TLS in common */
	REFUSAL_CIPHER,		    /* no cipher suite or curve in common */
	REFUSAL_GROUP_OR_SIGNATURE, /* none in common with GnuTLS and our key */
	REFUSAL_NO_CERTIFICATE,	    /* of the client */
	REFUSAL_UNKNOWN_CA,	    /* of the client's certificate */
	REFUSAL_EXPIRED,	    /* the client's certificate, or not valid yet */
	REFUSAL_NAME,		    /* no name of it is in client_allowed_sans */
	REFUSAL_BAD_CERTIFICATE,
	REFUSAL_HANDSHAKE,    /* the client ended it */
	REFUSAL_UNFINISHED,   /* it ended for an unknown reason */
	REFUSAL_CONNECTIONS,  /* too many of its network, or of all */
	REFUSAL_SLOW_REQUEST, /* no whole request in time */
	REFUSAL_SLOW_READER,  /* it did not take its reply */
	REFUSAL_BAD_REQUEST, /* not HTTP as RFC 9112 has it; it was answered with 400 or the like */
	REFUSAL_PASSWORD,    /* no user and password, or wrong ones */
	REFUSAL_TOO_MANY,    /* passwords of its address, or requests, were tried */
	REFUSALS,
};

/* All zero at first. */
struct refusals {
	uint64_t count[REFUSALS];
	uint64_t told_ns[REFUSALS];    /* when the log said it last; 0: never */
	uint64_t told_count[REFUSALS]; /* the count then */
};

/* The values of the label "reason": "plain_http", ... */
extern const char *const refusal_names[REFUSALS];

/*
 * Counts a refused client, and logs it if the last message is old enough. client: its address.
 * detail: more about it, or NULL. now_ns: CLOCK_MONOTONIC.
 */
void refusals_add(struct refusals *refusals, enum refusal reason, const char *client,
		  const char *detail, uint64_t now_ns);

#endif
