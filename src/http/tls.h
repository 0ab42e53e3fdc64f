/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server's side of TLS, by GnuTLS, which libmicrohttpd uses: certificate, what is asked
 * of clients, versions and ciphers. Given to each connection before its handshake, so that
 * a new certificate needs no new server.
 */
#ifndef BRAMBLE_TLS_H
#define BRAMBLE_TLS_H

#include <stddef.h>

#include <gnutls/gnutls.h>

#include "http/web_config.h"

struct tls;

/*
 * Reads the certificate and the key. Returns 0 and *out with one reference, or a negative
 * errno and in error one line that says which file or key is wrong. config must outlive it.
 */
int tls_new(const struct tls_config *config, struct tls **out, char *error, size_t error_size);

/* Each connection that was secured holds a reference until it is closed. */
struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls *tls);

/* Sets up a session whose handshake has not begun. Returns 0 or -EINVAL. */
int tls_secure(struct tls *tls, gnutls_session_t session);

#endif
