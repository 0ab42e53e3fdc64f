/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether a client offers a group and a signature algorithm that GnuTLS also has. Without these,
 * GnuTLS ends the handshake, and libmicrohttpd does not say why. What is not known here is left to
 * GnuTLS.
 */
#ifndef BRAMBLE_TLS_FIT_H
#define BRAMBLE_TLS_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "http/tls_hello.h"

/* Our key. */
struct tls_key {
	int kind;	    /* enum gnutls_pk_algorithm_t */
	unsigned int bytes; /* for ECDSA they tell the curve */
};

struct tls_fit {
	bool group;	/* any in common: for TLS 1.3 */
	bool curve;	/* one for ECDHE up to TLS 1.2 */
	bool field;	/* one for DHE up to TLS 1.2 */
	bool signature; /* one that our key can make */
};

/* Checks what a client offers for this version against what our priority has. */
struct tls_fit tls_fit_of(gnutls_priority_t ours, const struct tls_key *key,
			  const struct tls_hello *hello, uint16_t version);

#endif
