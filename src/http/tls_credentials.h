/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server's certificate and key, and the CA of its clients. */
#ifndef BRAMBLE_TLS_CREDENTIALS_H
#define BRAMBLE_TLS_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#include "http/tls_fit.h"
#include "http/web_config.h"

struct tls_credentials {
	gnutls_certificate_credentials_t gnutls;
	struct tls_key key;
	bool system_ca; /* clients' certificates are checked with the system's CAs */
	/* A reason why clients may refuse our certificate, which is served all the same; or NULL.
	 * Static. */
	const char *doubt;
};

/*
 * Reads certificate, key and CA. Returns 0. Or returns a negative errno, and writes to error one
 * line that says which file or key is wrong. tls_credentials_free() frees everything, also after an
 * error.
 */
int tls_credentials_read(struct tls_credentials *credentials, const struct tls_config *config,
			 char *error, size_t error_size);
void tls_credentials_free(struct tls_credentials *credentials);

#endif
