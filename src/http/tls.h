/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server's side of TLS, by GnuTLS, which libmicrohttpd uses: certificate, what is asked
 * of clients, versions and ciphers. Given to each connection before its handshake, so that
 * a new certificate needs no new server.
 *
 * libmicrohttpd runs the handshake and closes when it fails, without an alert and without saying
 * why. So what a client is refused for is found out in GnuTLS' callbacks, where an alert can be
 * sent yet.
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

/* What clients may mind about the certificate, though it is served; NULL: nothing. Static. */
const char *tls_doubt(const struct tls *tls);

/* Each connection that was secured holds a reference until it is closed. */
void tls_unref(struct tls *tls);

/* Sets up a session on a socket whose handshake has not begun. Returns NULL if that cannot be done;
 * else to be freed with tls_end() when the session runs no more. */
struct tls_session *tls_begin(struct tls *tls, gnutls_session_t session, int fd);

/*
 * Ends it. Returns why the client was refused, REFUSAL_NONE if it was not, or sent nothing.
 * detail (TLS_DETAIL_MAX) is more of it, or empty.
 */
enum refusal tls_end(struct tls_session *session, char *detail);

#endif
