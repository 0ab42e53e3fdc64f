/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "util/buf.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct tls {
	unsigned int refs;
	int client_auth;
	struct string_list sans; /* a copy: the configuration may go before the connections */
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
};

/* ---- what the configuration calls a cipher suite, in GnuTLS' words */

struct suite {
	const char *name;
	const char *exchange, *cipher, *mac;
};

#define SUITES_WITH(go, exchange)                                                                  \
	{"TLS_" go "_WITH_AES_128_CBC_SHA", exchange, "AES-128-CBC", "SHA1"},                      \
		{"TLS_" go "_WITH_AES_256_CBC_SHA", exchange, "AES-256-CBC", "SHA1"},              \
		{"TLS_" go "_WITH_AES_128_GCM_SHA256", exchange, "AES-128-GCM", "AEAD"},           \
	{                                                                                          \
		"TLS_" go "_WITH_AES_256_GCM_SHA384", exchange, "AES-256-GCM", "AEAD"              \
	}

static const struct suite suites[] = {
	SUITES_WITH("ECDHE_ECDSA", "ECDHE-ECDSA"),
	SUITES_WITH("ECDHE_RSA", "ECDHE-RSA"),
	SUITES_WITH("RSA", "RSA"),
	{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA", "CHACHA20-POLY1305",
	 "AEAD"},
	{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA", "CHACHA20-POLY1305", "AEAD"},
};

static const struct {
	const char *name, *group;
} curves[] = {
	{"CurveP256", "GROUP-SECP256R1"},
	{"CurveP384", "GROUP-SECP384R1"},
	{"CurveP521", "GROUP-SECP521R1"},
	{"X25519", "GROUP-X25519"},
};

static const struct suite *find_suite(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT_OF(suites); i++)
		if (strcmp(suites[i].name, name) == 0)
			return &suites[i];
	return NULL;
}

static bool in_list(const struct string_list *list, const char *value)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->values[i], value) == 0)
			return true;
	return false;
}

static void add_word(struct buf *words, const char *word)
{
	buf_puts(words, ":+");
	buf_puts(words, word);
}

/*
 * GnuTLS takes key exchanges, ciphers and MACs apart, and allows every combination. Returns
 * the first suite that is allowed in this way without being listed, or NULL.
 */
static const struct suite *find_unlisted(const struct string_list *listed)
{
	bool exchange, cipher, mac;
	size_t i, j;

	for (i = 0; i < COUNT_OF(suites); i++) {
		exchange = cipher = mac = false;
		for (j = 0; j < listed->count; j++) {
			const struct suite *other = find_suite(listed->values[j]);

			exchange |= strcmp(other->exchange, suites[i].exchange) == 0;
			cipher |= strcmp(other->cipher, suites[i].cipher) == 0;
			mac |= strcmp(other->mac, suites[i].mac) == 0;
		}
		if (exchange && cipher && mac && !in_list(listed, suites[i].name))
			return &suites[i];
	}
	return NULL;
}

static int add_suites(struct buf *words, const struct string_list *listed, char *error,
		      size_t error_size)
{
	const struct suite *suite;
	size_t i;

	if (!listed->count)
		return 0;
	buf_puts(words, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
	for (i = 0; i < listed->count; i++) {
		suite = find_suite(listed->values[i]);
		if (!suite) {
			snprintf(error, error_size, "cipher_suites: \"%.60s\" is not known",
				 listed->values[i]);
			return -EINVAL;
		}
		add_word(words, suite->exchange);
		add_word(words, suite->cipher);
		add_word(words, suite->mac);
	}
	suite = find_unlisted(listed);
	if (suite) {
		snprintf(error, error_size,
			 "cipher_suites: with GnuTLS these cannot be had without %s: list it, too, "
			 "or fewer",
			 suite->name);
		return -EINVAL;
	}
	return 0;
}

static int add_curves(struct buf *words, const struct string_list *listed, char *error,
		      size_t error_size)
{
	size_t i, j;

	if (listed->count)
		buf_puts(words, ":-GROUP-ALL");
	for (i = 0; i < listed->count; i++) {
		for (j = 0; j < COUNT_OF(curves); j++)
			if (strcmp(curves[j].name, listed->values[i]) == 0)
				break;
		if (j == COUNT_OF(curves)) {
			snprintf(error, error_size, "curve_preferences: \"%.60s\" is not known",
				 listed->values[i]);
			return -EINVAL;
		}
		add_word(words, curves[j].group);
	}
	return 0;
}

static int set_priority(struct tls *tls, const struct tls_config *config, char *error,
			size_t error_size)
{
	static const char *const versions[TLS_VERSIONS] = {
		[TLS_1_0] = "VERS-TLS1.0",
		[TLS_1_1] = "VERS-TLS1.1",
		[TLS_1_2] = "VERS-TLS1.2",
		[TLS_1_3] = "VERS-TLS1.3",
	};
	struct buf words = {0};
	int version, err;

	buf_puts(&words, "NORMAL:-VERS-ALL");
	for (version = config->max_version; version >= config->min_version; version--)
		add_word(&words, versions[version]);
	err = add_suites(&words, &config->cipher_suites, error, error_size);
	err = err ?: add_curves(&words, &config->curve_preferences, error, error_size);
	if (config->prefer_server_cipher_suites)
		buf_puts(&words, ":%SERVER_PRECEDENCE");
	if (!err && buf_failed(&words))
		err = -ENOMEM;
	if (!err && gnutls_priority_init(&tls->priority, words.data, NULL)) {
		snprintf(error, error_size, "GnuTLS does not know %s", words.data);
		err = -EINVAL;
	}
	buf_free(&words);
	return err;
}

/* ---- certificates */

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, (unsigned int)strlen(text)};
}

/* What a file has, or what the configuration itself has in its place. */
static int read_pem(const char *file, const char *text, struct buf *out, char *error,
		    size_t error_size)
{
	int err;

	if (!file) {
		buf_puts(out, text);
		return buf_failed(out) ? -ENOMEM : 0;
	}
	err = buf_read_file(out, file, 1024UL * 1024);
	if (err)
		snprintf(error, error_size, "%s: %s", file, strerror(-err));
	else if (!out->len)
		snprintf(error, error_size, "%s: is empty", file);
	return err ?: out->len ? 0 : -EINVAL;
}

static int set_key(struct tls *tls, const struct tls_config *config, char *error, size_t error_size)
{
	struct buf cert = {0}, key = {0};
	gnutls_datum_t cert_pem, key_pem;
	int result, err;

	err = read_pem(config->cert_file, config->cert, &cert, error, error_size);
	err = err ?: read_pem(config->key_file, config->key, &key, error, error_size);
	if (!err) {
		cert_pem = datum(cert.data);
		key_pem = datum(key.data);
		result = gnutls_certificate_set_x509_key_mem2(tls->credentials, &cert_pem, &key_pem,
							      GNUTLS_X509_FMT_PEM, NULL, 0);
		if (result < 0) {
			snprintf(error, error_size,
				 "cannot use the certificate %s with the key %s: %s",
				 config->cert_file ?: "in cert", config->key_file ?: "in key",
				 gnutls_strerror(result));
			err = -EINVAL;
		}
	}
	if (key.data)
		gnutls_memset(key.data, 0, key.size);
	buf_free(&cert);
	buf_free(&key);
	return err;
}

static int set_client_ca(struct tls *tls, const struct tls_config *config, char *error,
			 size_t error_size)
{
	struct buf ca = {0};
	gnutls_datum_t pem;
	int result, err;

	if (!config->client_ca && !config->client_ca_file)
		return 0;
	err = read_pem(config->client_ca_file, config->client_ca, &ca, error, error_size);
	if (!err) {
		pem = datum(ca.data);
		result = gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem,
							       GNUTLS_X509_FMT_PEM);
		if (result <= 0) {
			snprintf(error, error_size, "%s: no certificate of a CA is in it",
				 config->client_ca_file ?: "client_ca");
			err = -EINVAL;
		}
	}
	buf_free(&ca);
	return err;
}

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
	err = gnutls_certificate_allocate_credentials(&tls->credentials) ? -ENOMEM : 0;
	err = err ?: copy_sans(tls, &config->client_allowed_sans);
	err = err ?: set_priority(tls, config, error, error_size);
	err = err ?: set_key(tls, config, error, error_size);
	err = err ?: set_client_ca(tls, config, error, error_size);
	if (err) {
		tls_unref(tls);
		return err;
	}
	*out = tls;
	return 0;
}

struct tls *tls_ref(struct tls *tls)
{
	tls->refs++;
	return tls;
}

void tls_unref(struct tls *tls)
{
	size_t i;

	if (!tls || --tls->refs)
		return;
	for (i = 0; i < tls->sans.count; i++)
		free(tls->sans.values[i]);
	free(tls->sans.values);
	if (tls->priority)
		gnutls_priority_deinit(tls->priority);
	if (tls->credentials)
		gnutls_certificate_free_credentials(tls->credentials);
	free(tls);
}

/* ---- clients */

/* Whether a name of the certificate is one of those that are let in. */
static bool san_allowed(const struct tls *tls, gnutls_x509_crt_t crt)
{
	char name[256], address[INET6_ADDRSTRLEN];
	unsigned int i;
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
		} else if (strlen(name) != size) {
			continue; /* a NUL in a name is a trick */
		}
		if (in_list(&tls->sans, name))
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

/* Called in the handshake, after the client had its chance to send a certificate. */
static int verify_client(gnutls_session_t session)
{
	const struct tls *tls = gnutls_db_get_ptr(session);
	gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
					 .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
	const gnutls_datum_t *der;
	unsigned int count = 0, status = 0;

	der = gnutls_certificate_get_peers(session, &count);
	if (!der || !count)
		return tls->client_auth == CLIENT_AUTH_REQUIRE_ANY ||
				       tls->client_auth == CLIENT_AUTH_REQUIRE_AND_VERIFY
			       ? GNUTLS_E_CERTIFICATE_ERROR
			       : 0;
	if (tls->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN &&
	    (gnutls_certificate_verify_peers(session, &purpose, 1, &status) || status))
		return GNUTLS_E_CERTIFICATE_ERROR;
	return check_sans(tls, der) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

int tls_secure(struct tls *tls, gnutls_session_t session)
{
	bool required = tls->client_auth == CLIENT_AUTH_REQUIRE_ANY ||
			tls->client_auth == CLIENT_AUTH_REQUIRE_AND_VERIFY;

	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) ||
	    gnutls_priority_set(session, tls->priority))
		return -EINVAL;
	if (tls->client_auth == CLIENT_AUTH_NONE)
		return 0;
	gnutls_certificate_server_set_request(session,
					      required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
	/* Of the pointers a session carries this is the one that libmicrohttpd leaves to us:
	 * it keeps no database of sessions. */
	gnutls_db_set_ptr(session, tls);
	gnutls_session_set_verify_function(session, verify_client);
	return 0;
}
