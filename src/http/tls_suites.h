/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Translates the versions, cipher suites and curves of a web configuration for GnuTLS, and chooses
 * the suite for each client.
 *
 * GnuTLS configures key exchanges, ciphers and MACs separately, and allows every combination. So
 * this chooses one suite from those that the client offers, in the same way as Go, and gives GnuTLS
 * only that one.
 */
#ifndef BRAMBLE_TLS_SUITES_H
#define BRAMBLE_TLS_SUITES_H

#include <stddef.h>

#include <gnutls/gnutls.h>

#include "http/refusals.h"
#include "http/tls_fit.h"
#include "http/tls_hello.h"
#include "http/web_config.h"

#define TLS_SUITES_MAX	32
/* The numbers of versions are consecutive. */
#define TLS_VERSION_1_0 0x0301

/* A cipher suite up to TLS 1.2. */
struct tls_suite {
	uint16_t id;
	bool ecdhe, ecdsa; /* what it needs: a curve; an ECDSA (or EdDSA) key, else an RSA one */
	bool aead;	   /* it is of TLS 1.2 alone */
	gnutls_priority_t only; /* this suite and no other */
};

struct tls_suites {
	uint16_t min_version, max_version;
	bool prefer_ours;
	gnutls_priority_t any;			 /* what a session begins with */
	struct tls_suite listed[TLS_SUITES_MAX]; /* none: GnuTLS chooses */
	size_t listed_count;
	bool listing; /* there was a list, perhaps only of TLS 1.3 suites */
	bool curves;  /* there was a list of them */
};

/*
 * Returns 0. Or returns a negative errno, and writes to error one line that says what is not known.
 * tls_suites_free() frees everything, also after an error.
 */
int tls_suites_init(struct tls_suites *suites, const struct tls_config *config, char *error,
		    size_t error_size);
void tls_suites_free(struct tls_suites *suites);

/*
 * Chooses for a client, before GnuTLS does. key: ours. Returns REFUSAL_NONE, or why it cannot be
 * served.
 */
enum refusal tls_suites_choose(const struct tls_suites *suites, gnutls_session_t session,
			       const struct tls_hello *hello, const struct tls_key *key);

#endif
