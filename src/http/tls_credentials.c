/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls_credentials.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

#include "util/buf.h"
#include "util/given_file.h"

#define PEM_MAX		 (1024UL * 1024)
#define CHAIN_MAX	 16 /* as many certificates as GnuTLS sends */
#define TEXT_OF(word)	 #word
#define STRING_OF(macro) TEXT_OF(macro)
#define USAGE_ALL                                                                                  \
	(GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_KEY_AGREEMENT)

/* Our certificate and those that follow it. */
struct chain {
	gnutls_pcert_st certs[CHAIN_MAX];
	unsigned int count;
};

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){(unsigned char *)text, (unsigned int)strlen(text)};
}

/* The contents of a file, or what the configuration itself has instead. */
static int read_pem(const char *file, const char *text, struct buf *out, char *error,
		    size_t error_size)
{
	int err;

	if (!file) {
		buf_puts(out, text);
		return buf_failed(out) ? -ENOMEM : 0;
	}
	err = given_file_read(file, PEM_MAX, out, error, error_size);
	if (err || out->len)
		return err;
	snprintf(error, error_size, "%s: is empty", file);
	return -EINVAL;
}

static void chain_free(struct chain *chain)
{
	while (chain->count)
		gnutls_pcert_deinit(&chain->certs[--chain->count]);
}

/*
 * Takes the certificates in the order of the file, ours first. For GnuTLS, the key usage of ours is
 * set to everything. Many scripts write only keyEncipherment, and with that GnuTLS would serve no
 * client with TLS 1.3, and only some with TLS 1.2. Go's servers ignore the key usage. The
 * certificate is sent unchanged, and clients may still refuse it. Returns a GnuTLS error.
 */
static int import_chain(struct chain *chain, const struct buf *pem)
{
	gnutls_datum_t data = datum(pem->data);
	int result;

	chain->count = CHAIN_MAX;
	result = gnutls_pcert_list_import_x509_raw(chain->certs, &chain->count, &data,
						   GNUTLS_X509_FMT_PEM,
						   GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
	if (result < 0)
		chain->count = 0;
	else
		gnutls_pubkey_set_key_usage(chain->certs[0].pubkey, USAGE_ALL);
	return result < 0 ? result : 0;
}

/* Why a certificate cannot be used, and what to do. */
static const char *cert_reason(int result)
{
	return result == GNUTLS_E_SHORT_MEMORY_BUFFER
		       ? "more than " STRING_OF(
				 CHAIN_MAX) " certificates are in it; leave only ours "
					    "and those between it and the root"
		       : gnutls_strerror(result);
}

static int import_key(gnutls_privkey_t *key, const struct buf *pem)
{
	gnutls_datum_t data = datum(pem->data);
	int result = gnutls_privkey_init(key);

	if (result < 0)
		return result;
	result = gnutls_privkey_import_x509_raw(*key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (result < 0) {
		gnutls_privkey_deinit(*key);
		*key = NULL;
	}
	return result < 0 ? result : 0;
}

/* Why a key cannot be used, and what to do. */
static const char *key_reason(int result)
{
	return result == GNUTLS_E_DECRYPTION_FAILED ? "it is encrypted; write it without a "
						      "passphrase: openssl pkey -in OLD -out "
						      "NEW"
						    : gnutls_strerror(result);
}

static bool is_for_servers(gnutls_x509_crt_t crt)
{
	char purpose[64];
	unsigned int i;

	for (i = 0;; i++) {
		size_t size = sizeof(purpose);
		int result = gnutls_x509_crt_get_key_purpose_oid(crt, i, purpose, &size, NULL);

		if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return i == 0; /* without purposes it is for all */
		if (result == 0 && (strcmp(purpose, GNUTLS_KP_TLS_WWW_SERVER) == 0 ||
				    strcmp(purpose, GNUTLS_KP_ANY) == 0))
			return true;
		if (result < 0 && result != GNUTLS_E_SHORT_MEMORY_BUFFER)
			return true;
	}
}

static const char *find_doubt(gnutls_x509_crt_t crt, int kind)
{
	char name[8];
	size_t size = sizeof(name);

	if (kind == GNUTLS_PK_RSA_PSS)
		return "its key is one for RSA-PSS alone, which Prometheus and other programs "
		       "in Go cannot use: make a plain RSA or an ECDSA key";
	if (gnutls_x509_crt_get_expiration_time(crt) < time(NULL))
		return "it has expired: renew it, and check this machine's clock";
	if (gnutls_x509_crt_get_subject_alt_name(crt, 0, name, &size, NULL) ==
	    GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return "it has no subjectAltName, so that Prometheus cannot check whose it is: "
		       "make one with the names and addresses of this node";
	if (!is_for_servers(crt))
		return "its extendedKeyUsage is without serverAuth, so that Prometheus refuses it";
	return NULL;
}

static void look_for_doubt(struct tls_credentials *credentials, struct chain *chain, int kind)
{
	gnutls_x509_crt_t crt;

	if (gnutls_pcert_export_x509(&chain->certs[0], &crt))
		return;
	credentials->doubt = find_doubt(crt, kind);
	gnutls_x509_crt_deinit(crt);
}

static int join(struct tls_credentials *credentials, struct chain *chain, gnutls_privkey_t key)
{
	unsigned int bits = 0;
	int kind = gnutls_privkey_get_pk_algorithm(key, &bits);
	int result = gnutls_certificate_set_key(credentials->gnutls, NULL, 0, chain->certs,
						(int)chain->count, key);

	if (result < 0)
		return result;
	look_for_doubt(credentials, chain, kind);
	chain->count = 0; /* they are GnuTLS' now, as is the key */
	credentials->key = (struct tls_key){kind, (bits + 7) / 8}; /* GnuTLS has 528 for P-521 */
	return 0;
}

/* Both are PEM texts. */
static int use_key(struct tls_credentials *credentials, const struct tls_config *config,
		   const struct buf *cert_pem, const struct buf *key_pem, char *error,
		   size_t error_size)
{
	const char *cert_name = config->cert_file ?: "cert", *key_name = config->key_file ?: "key";
	struct chain chain = {.count = 0};
	gnutls_privkey_t key = NULL;
	int result = import_chain(&chain, cert_pem);

	if (result) {
		snprintf(error, error_size, "cannot use the certificate %s: %s", cert_name,
			 cert_reason(result));
		return -EINVAL;
	}
	result = import_key(&key, key_pem);
	if (result) {
		snprintf(error, error_size, "cannot use the key %s: %s", key_name,
			 key_reason(result));
	} else {
		result = join(credentials, &chain, key);
		if (result) {
			snprintf(error, error_size,
				 "cannot use the certificate %s with the key %s: %s", cert_name,
				 key_name, gnutls_strerror(result));
			gnutls_privkey_deinit(key);
		}
	}
	chain_free(&chain);
	return result ? -EINVAL : 0;
}

static int set_key(struct tls_credentials *credentials, const struct tls_config *config,
		   char *error, size_t error_size)
{
	struct buf cert = {0}, key = {0};
	int err;

	err = read_pem(config->cert_file, config->cert, &cert, error, error_size);
	err = err ?: read_pem(config->key_file, config->key, &key, error, error_size);
	err = err ?: use_key(credentials, config, &cert, &key, error, error_size);
	if (key.data)
		gnutls_memset(key.data, 0, key.size);
	buf_free(&cert);
	buf_free(&key);
	return err;
}

/* Without a CA of its own, a Go server uses the system's. If the system has none, every certificate
 * is from an unknown CA. */
static void set_system_ca(struct tls_credentials *credentials, const struct tls_config *config)
{
	if (config->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN) {
		(void)gnutls_certificate_set_x509_system_trust(credentials->gnutls);
		credentials->system_ca = true;
	}
}

static int set_client_ca(struct tls_credentials *credentials, const struct tls_config *config,
			 char *error, size_t error_size)
{
	struct buf ca = {0};
	gnutls_datum_t pem;
	int result, err;

	if (!config->client_ca && !config->client_ca_file) {
		set_system_ca(credentials, config);
		return 0;
	}
	err = read_pem(config->client_ca_file, config->client_ca, &ca, error, error_size);
	if (!err) {
		pem = datum(ca.data);
		result = gnutls_certificate_set_x509_trust_mem(credentials->gnutls, &pem,
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

int tls_credentials_read(struct tls_credentials *credentials, const struct tls_config *config,
			 char *error, size_t error_size)
{
	int err;

	*credentials = (struct tls_credentials){0};
	if (gnutls_certificate_allocate_credentials(&credentials->gnutls)) {
		credentials->gnutls = NULL;
		return -ENOMEM;
	}
	err = set_key(credentials, config, error, error_size);
	return err ?: set_client_ca(credentials, config, error, error_size);
}

void tls_credentials_free(struct tls_credentials *credentials)
{
	if (credentials->gnutls)
		gnutls_certificate_free_credentials(credentials->gnutls);
	credentials->gnutls = NULL;
}
