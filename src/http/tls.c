/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/x509.h>

#include "http/first_bytes.h"
#include "http/tls_credentials.h"
#include "http/tls_hello.h"
#include "http/tls_records.h"
#include "http/tls_suites.h"
#include "util/buf.h"

struct tls {
	unsigned int refs;
	int client_auth;
	struct string_list sans; /* a copy: the configuration may go before the connections */
	struct tls_credentials credentials;
	struct tls_suites suites;
};

/* One connection's. */
struct tls_session {
	struct tls *tls;
	int fd;
	bool read;	  /* something has come */
	bool began, done; /* a ClientHello came; the client's last message of the handshake did */
	bool ended;	  /* the client sent an alert, or its end */
	struct tls_records records;
	enum refusal reason;
	char detail[TLS_DETAIL_MAX];
};

static int copy_sans(struct tls *tls, const struct string_list *sans)
{
	size_t i;

	if (!sans->count)
		return 0;
	tls->sans.values = calloc(sans->count, sizeof(*tls->sans.values));
	if (!tls->sans.values)
		return -ENOMEM;
	for (i = 0; i < sans->count; i++) {
		tls->sans.values[i] = strdup(sans->values[i]);
		if (!tls->sans.values[i])
			return -ENOMEM;
		tls->sans.count++;
	}
	return 0;
}

int tls_new(const struct tls_config *config, struct tls **out, char *error, size_t error_size)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int err;

	snprintf(error, error_size, "%s", strerror(ENOMEM));
	if (!tls)
		return -ENOMEM;
	tls->refs = 1;
	tls->client_auth = config->client_auth;
	err = copy_sans(tls, &config->client_allowed_sans);
	err = err ?: tls_suites_init(&tls->suites, config, error, error_size);
	err = err ?: tls_credentials_read(&tls->credentials, config, error, error_size);
	if (err) {
		tls_unref(tls);
		return err;
	}
	*out = tls;
	return 0;
}

const char *tls_doubt(const struct tls *tls)
{
	return tls->credentials.doubt;
}

void tls_unref(struct tls *tls)
{
	size_t i;

	if (!tls || --tls->refs)
		return;
	for (i = 0; i < tls->sans.count; i++)
		free(tls->sans.values[i]);
	free(tls->sans.values);
	tls_suites_free(&tls->suites);
	tls_credentials_free(&tls->credentials);
	free(tls);
}

/* ---- clients */

/* Whether a name of the certificate is one that is let in. */
static bool san_allowed(const struct tls *tls, gnutls_x509_crt_t crt)
{
	char name[256], address[INET6_ADDRSTRLEN];
	unsigned int i;
	size_t j;
	int type;

	for (i = 0;; i++) {
		size_t size = sizeof(name) - 1;

		type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &size, NULL);
		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (type < 0)
			return false;
		name[size] = '\0';
		if (type == GNUTLS_SAN_IPADDRESS) {
			if (!inet_ntop(size == 4 ? AF_INET : AF_INET6, name, address,
				       sizeof(address)))
				continue;
			snprintf(name, sizeof(name), "%s", address);
		} else if (strlen(name) != size ||
			   (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_RFC822NAME &&
			    type != GNUTLS_SAN_URI)) {
			continue; /* a NUL in a name is a trick */
		}
		for (j = 0; j < tls->sans.count; j++)
			if (strcmp(tls->sans.values[j], name) == 0)
				return true;
	}
}

static bool check_sans(const struct tls *tls, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t crt;
	bool allowed = false;

	if (!tls->sans.count)
		return true;
	if (gnutls_x509_crt_init(&crt))
		return false;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0)
		allowed = san_allowed(tls, crt);
	gnutls_x509_crt_deinit(crt);
	return allowed;
}

/* What a client is told. */
static gnutls_alert_description_t alert_of(gnutls_session_t session, enum refusal reason)
{
	switch (reason) {
	case REFUSAL_VERSION:
		return GNUTLS_A_PROTOCOL_VERSION;
	case REFUSAL_NO_CERTIFICATE:
		return gnutls_protocol_get_version(session) == GNUTLS_TLS1_3
			       ? GNUTLS_A_CERTIFICATE_REQUIRED
			       : GNUTLS_A_HANDSHAKE_FAILURE;
	case REFUSAL_UNKNOWN_CA:
		return GNUTLS_A_UNKNOWN_CA;
	case REFUSAL_EXPIRED:
		return GNUTLS_A_CERTIFICATE_EXPIRED;
	case REFUSAL_NAME:
	case REFUSAL_BAD_CERTIFICATE:
		return GNUTLS_A_BAD_CERTIFICATE;
	default:
		return GNUTLS_A_HANDSHAKE_FAILURE;
	}
}

/* Remembers why, and sends the client an alert, as far as its socket takes it at once. */
static void refuse(struct tls_session *s, gnutls_session_t session, enum refusal reason)
{
	if (!reason || s->reason)
		return;
	s->reason = reason;
	gnutls_alert_send(session, GNUTLS_AL_FATAL, alert_of(session, reason));
	socket_drain(s->fd);
}

static enum refusal reason_of(unsigned int status)
{
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return REFUSAL_UNKNOWN_CA;
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return REFUSAL_EXPIRED;
	return REFUSAL_BAD_CERTIFICATE;
}

/* Whose the certificate is, for the log. */
static void describe(struct tls_session *s, const gnutls_datum_t *der)
{
	char subject[TLS_DETAIL_MAX - 16];
	size_t size = sizeof(subject);
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt))
		return;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_x509_crt_get_dn(crt, subject, &size) == 0)
		snprintf(s->detail, sizeof(s->detail), "its subject is %s", subject);
	gnutls_x509_crt_deinit(crt);
}

static enum refusal check_certificate(struct tls_session *s, gnutls_session_t session)
{
	const struct tls *tls = s->tls;
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
	const gnutls_datum_t *der;
	unsigned int count = 0, status = 0;

	der = gnutls_certificate_get_peers(session, &count);
	if (!der || !count)
		return tls->client_auth == CLIENT_AUTH_REQUIRE_ANY ||
				       tls->client_auth == CLIENT_AUTH_REQUIRE_AND_VERIFY
			       ? REFUSAL_NO_CERTIFICATE
			       : REFUSAL_NONE;
	describe(s, der);
	if (tls->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN &&
	    (gnutls_certificate_verify_peers(session, &purpose, 1, &status) || status))
		return reason_of(status);
	return check_sans(tls, der) ? REFUSAL_NONE : REFUSAL_NAME;
}

/* Called in the handshake, after the client had its chance to send a certificate. */
static int verify_client(gnutls_session_t session)
{
	struct tls_session *s = gnutls_db_get_ptr(session);

	refuse(s, session, check_certificate(s, session));
	return s->reason ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static int on_hello(struct tls_session *s, gnutls_session_t session, const gnutls_datum_t *body)
{
	struct tls_hello hello;

	s->began = true;
	/* GnuTLS refuses an incomplete one. */
	if (!tls_hello_parse(body->data, body->size, &hello))
		return 0;
	refuse(s, session,
	       tls_suites_choose(&s->tls->suites, session, &hello, &s->tls->credentials.key));
	if (s->reason == REFUSAL_VERSION)
		return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	return s->reason ? GNUTLS_E_NO_CIPHER_SUITES : 0;
}

/* Called before each message of the handshake is read or written. */
static int on_message(gnutls_session_t session, unsigned int type, unsigned int when,
		      unsigned int incoming, const gnutls_datum_t *body)
{
	struct tls_session *s = gnutls_db_get_ptr(session);

	(void)when;
	if (!incoming)
		return 0;
	switch (type) {
	case GNUTLS_HANDSHAKE_CLIENT_HELLO:
		return on_hello(s, session, body);
	case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY:
		/* Of all that this allows, only the key usage of the client's certificate is left
		 * to be looked at: as Go does, take one without digitalSignature, too. */
		gnutls_session_enable_compatibility_mode(session);
		return 0;
	case GNUTLS_HANDSHAKE_FINISHED:
		s->done = true;
		return 0;
	default:
		return 0;
	}
}

/* Tells whether the client or GnuTLS ended the handshake. */
static void look_for_end(struct tls_session *s, const void *bytes, ssize_t got)
{
	if (got > 0)
		s->ended |= tls_records_alert(&s->records, bytes, (size_t)got);
	else
		s->ended |= got == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Reads for GnuTLS as GnuTLS would itself, except from clients that do not begin with TLS. */
static ssize_t pull(gnutls_transport_ptr_t context, void *bytes, size_t size)
{
	struct tls_session *s = context;
	ssize_t got = recv(s->fd, bytes, size, 0);

	if (!s->done)
		look_for_end(s, bytes, got);
	if (got <= 0 || s->read)
		return got;
	s->read = true;
	s->reason = first_bytes_check(bytes, (size_t)got, true);
	if (!s->reason)
		return got;
	first_bytes_answer(s->fd, s->reason);
	errno = ECONNRESET;
	return -1;
}

struct tls_session *tls_begin(struct tls *tls, gnutls_session_t session, int fd)
{
	struct tls_session *s = calloc(1, sizeof(*s));
	gnutls_transport_ptr_t from, to;

	if (!s ||
	    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials.gnutls) ||
	    gnutls_priority_set(session, tls->suites.any)) {
		free(s);
		return NULL;
	}
	s->tls = tls;
	tls->refs++;
	s->fd = fd;
	gnutls_transport_get_ptr2(session, &from, &to);
	gnutls_transport_set_ptr2(session, s, to);
	gnutls_transport_set_pull_function(session, pull);
	/* A session carries several pointers. libmicrohttpd leaves this one to us, because it keeps
	 * no database of sessions. */
	gnutls_db_set_ptr(session, s);
	gnutls_handshake_set_hook_function(session, (unsigned int)GNUTLS_HANDSHAKE_ANY,
					   GNUTLS_HOOK_PRE, on_message);
	if (tls->client_auth == CLIENT_AUTH_NONE)
		return s;
	/* Not GNUTLS_CERT_REQUIRE, which ends before verify_client() if there is no certificate. */
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_certificate_send_x509_rdn_sequence(session, tls->credentials.system_ca);
	gnutls_session_set_verify_function(session, verify_client);
	return s;
}

enum refusal tls_end(struct tls_session *s, char *detail)
{
	enum refusal reason = s->reason;

	if (!reason && s->began && !s->done)
		reason = s->ended ? REFUSAL_HANDSHAKE : REFUSAL_UNFINISHED;
	snprintf(detail, TLS_DETAIL_MAX, "%s", reason ? s->detail : "");
	tls_unref(s->tls);
	free(s);
	return reason;
}
