/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server's side of TLS, with GnuTLS, which libmicrohttpd uses: certificate, what is required of
 * clients, versions and ciphers. Each connection gets it before its handshake. So a new certificate
 * needs no new server.
 *
 * libmicrohttpd runs the handshake. When that fails it closes the connection, without an alert and
 * without saying why. So the reason is found out in GnuTLS' callbacks, where an alert can still be
 * sent.
 */
#ifndef BRAMBLE_TLS_H
#define BRAMBLE_TLS_H

#include <stddef.h>

#include <gnutls/gnutls.h>

#include "http/refusals.h"
#include "http/web_config.h"

#define TLS_DETAIL_MAX 128

struct tls;
struct tls_session;

/*
 * Reads the certificate and the key. Returns 0 and *out with one reference, or a negative
 * errno and in error one line that says which file or key is wrong.
 */
int tls_new(const struct tls_config *config, struct tls **out, char *error, size_t error_size);

/* A reason why clients may refuse our certificate, which is served all the same; or NULL. Static.
 */
const char *tls_doubt(const struct tls *tls);

/* Each connection that was secured holds a reference until it is closed. */
void tls_unref(struct tls *tls);

/* Sets up a session on a socket whose handshake has not begun. Returns NULL if that fails.
 * Otherwise free it with tls_end() when the session no longer runs. */
struct tls_session *tls_begin(struct tls *tls, gnutls_session_t session, int fd);

/*
 * Ends a session. Returns why the client was refused, or REFUSAL_NONE if it was not refused or sent
 * nothing. detail (TLS_DETAIL_MAX) says more about it, or is empty.
 */
enum refusal tls_end(struct tls_session *session, char *detail);

#endif
