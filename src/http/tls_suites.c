/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls_suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/buf.h"

/* A suite of TLS 1.2 or before. Numbers: the IANA's registry "TLS Cipher Suites". */
struct known {
	const char *name;
	uint16_t id;
	const char *exchange, *cipher, *mac;
};

static const struct known known[] = {
	{"TLS_RSA_WITH_AES_128_CBC_SHA", 0x002f, "RSA", "AES-128-CBC", "SHA1"},
	{"TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035, "RSA", "AES-256-CBC", "SHA1"},
	{"TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009c, "RSA", "AES-128-GCM", "AEAD"},
	{"TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009d, "RSA", "AES-256-GCM", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc009, "ECDHE-ECDSA", "AES-128-CBC", "SHA1"},
	{"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc00a, "ECDHE-ECDSA", "AES-256-CBC", "SHA1"},
	{"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc013, "ECDHE-RSA", "AES-128-CBC", "SHA1"},
	{"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xc014, "ECDHE-RSA", "AES-256-CBC", "SHA1"},
	{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02b, "ECDHE-ECDSA", "AES-128-GCM", "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02c, "ECDHE-ECDSA", "AES-256-GCM", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f, "ECDHE-RSA", "AES-128-GCM", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc030, "ECDHE-RSA", "AES-256-GCM", "AEAD"},
	{"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca8, "ECDHE-RSA", "CHACHA20-POLY1305",
	 "AEAD"},
	{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9, "ECDHE-ECDSA",
	 "CHACHA20-POLY1305", "AEAD"},
};

/* Accepted, but without effect, as in Go: all of these are always offered. */
static const char *const known_1_3[] = {
	"TLS_AES_128_GCM_SHA256",
	"TLS_AES_256_GCM_SHA384",
	"TLS_CHACHA20_POLY1305_SHA256",
};

static const struct {
	const char *name, *group;
	const char *gnutls; /* how gnutls_group_get_id() calls it */
} curves[] = {
	{"CurveP256", "GROUP-SECP256R1", "SECP256R1"},
	{"CurveP384", "GROUP-SECP384R1", "SECP384R1"},
	{"CurveP521", "GROUP-SECP521R1", "SECP521R1"},
	{"X25519", "GROUP-X25519", "X25519"},
	/* Since GnuTLS 3.8.9. */
	{"X25519MLKEM768", "GROUP-X25519-MLKEM768", "X25519-MLKEM768"},
};

static const char *const version_words[TLS_VERSIONS] = {
	[TLS_1_0] = "VERS-TLS1.0",
	[TLS_1_1] = "VERS-TLS1.1",
	[TLS_1_2] = "VERS-TLS1.2",
	[TLS_1_3] = "VERS-TLS1.3",
};

/* Without forward secrecy, whoever gets the key later can read what was recorded. Go's servers
 * offer RSA key exchange only if cipher_suites lists it, too. */
#define NO_STATIC_RSA ":-RSA"

static void add_word(struct buf *words, const char *word)
{
	buf_puts(words, ":+");
	buf_puts(words, word);
}

static const struct known *find_known(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

static bool is_1_3(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_1_3); i++)
		if (strcmp(known_1_3[i], name) == 0)
			return true;
	return false;
}

/* What all priorities share: the versions up to one, and the curves. */
static void begin_words(struct buf *words, const struct tls_config *config, int max_version)
{
	size_t i, j;
	int version;

	buf_puts(words, "NORMAL:-VERS-ALL");
	/* The first is preferred. */
	for (version = TLS_1_3; version >= TLS_1_0; version--)
		if (version >= config->min_version && version <= max_version)
			add_word(words, version_words[version]);
	if (config->prefer_server_cipher_suites)
		buf_puts(words, ":%SERVER_PRECEDENCE");
	if (config->curve_preferences.count)
		buf_puts(words, ":-GROUP-ALL");
	for (i = 0; i < config->curve_preferences.count; i++)
		for (j = 0; j < ARRAY_SIZE(curves); j++)
			if (strcmp(curves[j].name, config->curve_preferences.values[i]) == 0 &&
			    gnutls_group_get_id(curves[j].gnutls) != GNUTLS_GROUP_INVALID)
				add_word(words, curves[j].group);
}

/* Takes the words over. */
static int make_priority(struct buf *words, gnutls_priority_t *priority, char *error,
			 size_t error_size)
{
	int err = 0;

	if (buf_failed(words)) {
		buf_free(words);
		return -ENOMEM;
	}
	err = gnutls_priority_init(priority, words->data, NULL);
	if (err) {
		*priority = NULL;
		err = err == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;
	}
	if (err == -EINVAL)
		snprintf(error, error_size, "GnuTLS does not know %s", words->data);
	buf_free(words);
	return err;
}

static int add_suite(struct tls_suites *suites, const struct tls_config *config,
		     const struct known *suite, char *error, size_t error_size)
{
	struct tls_suite *to = &suites->listed[suites->listed_count];
	struct buf words = {0};
	size_t i;

	for (i = 0; i < suites->listed_count; i++)
		if (suites->listed[i].id == suite->id)
			return 0;
	begin_words(&words, config, config->max_version > TLS_1_2 ? TLS_1_2 : config->max_version);
	buf_puts(&words, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
	add_word(&words, suite->exchange);
	add_word(&words, suite->cipher);
	add_word(&words, suite->mac);
	*to = (struct tls_suite){.id = suite->id,
				 .ecdhe = strncmp(suite->exchange, "ECDHE", 5) == 0,
				 .ecdsa = strstr(suite->exchange, "ECDSA") != NULL,
				 .aead = strcmp(suite->mac, "AEAD") == 0};
	suites->listed_count++;
	return make_priority(&words, &to->only, error, error_size);
}

static int add_suites(struct tls_suites *suites, const struct tls_config *config, char *error,
		      size_t error_size)
{
	const struct string_list *names = &config->cipher_suites;
	const struct known *suite;
	size_t i;
	int err;

	suites->listing = names->count > 0;
	for (i = 0; i < names->count; i++) {
		suite = find_known(names->values[i]);
		if (!suite && !is_1_3(names->values[i])) {
			snprintf(error, error_size, "cipher_suites: \"%.60s\" is not known",
				 names->values[i]);
			return -EINVAL;
		}
		/* If the lowest version is TLS 1.3, the other suites have no use. */
		if (!suite || config->min_version > TLS_1_2)
			continue;
		err = add_suite(suites, config, suite, error, error_size);
		if (err)
			return err;
	}
	if (suites->listing && !suites->listed_count && config->max_version < TLS_1_3) {
		snprintf(error, error_size,
			 "cipher_suites: none of these is of %s, the max_version",
			 version_words[config->max_version] + strlen("VERS-"));
		return -EINVAL;
	}
	return 0;
}

static int add_curves(struct tls_suites *suites, const struct string_list *names, char *error,
		      size_t error_size)
{
	bool any = false;
	size_t i, j;

	suites->curves = names->count > 0;
	for (i = 0; i < names->count; i++) {
		for (j = 0; j < ARRAY_SIZE(curves); j++)
			if (strcmp(curves[j].name, names->values[i]) == 0)
				break;
		if (j == ARRAY_SIZE(curves)) {
			snprintf(error, error_size, "curve_preferences: \"%.60s\" is not known",
				 names->values[i]);
			return -EINVAL;
		}
		any |= gnutls_group_get_id(curves[j].gnutls) != GNUTLS_GROUP_INVALID;
	}
	if (suites->curves && !any) {
		snprintf(error, error_size, "curve_preferences: GnuTLS %s has none of these",
			 gnutls_check_version(NULL));
		return -EINVAL;
	}
	return 0;
}

int tls_suites_init(struct tls_suites *suites, const struct tls_config *config, char *error,
		    size_t error_size)
{
	struct buf words = {0};
	int err;

	_Static_assert(ARRAY_SIZE(known) <= TLS_SUITES_MAX, "there is a place for each");
	*suites = (struct tls_suites){
		.min_version = (uint16_t)(TLS_VERSION_1_0 + config->min_version),
		.max_version = (uint16_t)(TLS_VERSION_1_0 + config->max_version),
		.prefer_ours = config->prefer_server_cipher_suites,
	};
	err = add_curves(suites, &config->curve_preferences, error, error_size);
	err = err ?: add_suites(suites, config, error, error_size);
	if (err)
		return err;
	begin_words(&words, config, config->max_version);
	buf_puts(&words, NO_STATIC_RSA);
	return make_priority(&words, &suites->any, error, error_size);
}

void tls_suites_free(struct tls_suites *suites)
{
	size_t i;

	for (i = 0; i < suites->listed_count; i++)
		if (suites->listed[i].only)
			gnutls_priority_deinit(suites->listed[i].only);
	if (suites->any)
		gnutls_priority_deinit(suites->any);
	*suites = (struct tls_suites){0};
}

/* ---- what a client is served with */

/* What is available for a client. */
struct choice {
	uint16_t version;
	bool ecdsa; /* our key is one for ECDSA or EdDSA, not RSA */
	struct tls_fit fit;
};

static const struct tls_suite *find_listed(const struct tls_suites *suites, uint16_t id)
{
	size_t i;

	for (i = 0; i < suites->listed_count; i++)
		if (suites->listed[i].id == id)
			return &suites->listed[i];
	return NULL;
}

/* Whether a suite works with our key, this version, and the rest of what the client offers. */
static bool is_usable(const struct tls_suite *suite, const struct choice *choice)
{
	if (!suite || suite->ecdsa != choice->ecdsa)
		return false;
	if (suite->aead && choice->version < TLS_VERSION_1_2)
		return false;
	return !suite->ecdhe || (choice->fit.curve && choice->fit.signature);
}

static const struct tls_suite *choose_listed(const struct tls_suites *suites,
					     const struct tls_hello *hello,
					     const struct choice *choice)
{
	const struct tls_suite *suite;
	size_t i;

	for (i = 0; suites->prefer_ours && i < suites->listed_count; i++) {
		suite = &suites->listed[i];
		if (is_usable(suite, choice) && tls_numbers_have(&hello->suites, suite->id))
			return suite;
	}
	for (i = 0; !suites->prefer_ours && i < hello->suites.count; i++) {
		suite = find_listed(suites, tls_number(&hello->suites, i));
		if (is_usable(suite, choice))
			return suite;
	}
	return NULL;
}

/* The same for one that GnuTLS may choose. Up to TLS 1.2 key exchanges are ECDHE, DHE and RSA. */
static bool is_usable_kx(gnutls_kx_algorithm_t kx, gnutls_protocol_t least,
			 const struct choice *choice)
{
	const struct tls_fit *fit = &choice->fit;

	if ((least == GNUTLS_TLS1_3) != (choice->version == TLS_VERSION_1_3))
		return false;
	if (choice->version == TLS_VERSION_1_3)
		return fit->group && fit->signature;
	if ((kx == GNUTLS_KX_ECDHE_ECDSA) != choice->ecdsa)
		return false;
	if (least == GNUTLS_TLS1_2 && choice->version < TLS_VERSION_1_2)
		return false;
	switch (kx) {
	case GNUTLS_KX_ECDHE_RSA:
	case GNUTLS_KX_ECDHE_ECDSA:
		return fit->curve && fit->signature;
	case GNUTLS_KX_DHE_RSA:
		return fit->field && fit->signature;
	default:
		return true;
	}
}

/* Whether GnuTLS finds a suite when it may choose. */
static bool shares_any(const struct tls_suites *suites, const struct tls_hello *hello,
		       const struct choice *choice)
{
	gnutls_protocol_t least;
	gnutls_kx_algorithm_t kx;
	unsigned int i, index;
	unsigned char id[2];

	for (i = 0; gnutls_priority_get_cipher_suite_index(suites->any, i, &index) !=
		    GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
	     i++) {
		if (gnutls_cipher_suite_info(index, id, &kx, NULL, NULL, &least) &&
		    is_usable_kx(kx, least, choice) &&
		    tls_numbers_have(&hello->suites, (uint16_t)(id[0] << 8 | id[1])))
			return true;
	}
	return false;
}

/* Chooses a suite from the client's offer. *suite is NULL if GnuTLS may choose. */
static bool choose(const struct tls_suites *suites, const struct tls_hello *hello,
		   const struct choice *choice, const struct tls_suite **suite)
{
	*suite = NULL;
	if (choice->version == TLS_VERSION_1_3 || !suites->listing)
		return shares_any(suites, hello, choice);
	*suite = choose_listed(suites, hello, choice);
	return *suite != NULL;
}

/* Why nothing was found: the suites, or only a group or a signature algorithm. */
static enum refusal why_not(const struct tls_suites *suites, const struct tls_hello *hello,
			    struct choice *choice)
{
	const struct tls_suite *suite;
	bool group = choice->version == TLS_VERSION_1_3 ? choice->fit.group : choice->fit.curve;

	if (suites->curves && !group)
		return REFUSAL_CIPHER;
	choice->fit = (struct tls_fit){true, true, true, true};
	return choose(suites, hello, choice, &suite) ? REFUSAL_GROUP_OR_SIGNATURE : REFUSAL_CIPHER;
}

enum refusal tls_suites_choose(const struct tls_suites *suites, gnutls_session_t session,
			       const struct tls_hello *hello, const struct tls_key *key)
{
	struct choice choice = {
		.version = tls_hello_version(hello, suites->min_version, suites->max_version),
		.ecdsa = key->kind != GNUTLS_PK_RSA && key->kind != GNUTLS_PK_RSA_PSS,
	};
	const struct tls_suite *suite;

	if (!choice.version)
		return REFUSAL_VERSION;
	choice.fit = tls_fit_of(suites->any, key, hello, choice.version);
	if (!choose(suites, hello, &choice, &suite))
		return why_not(suites, hello, &choice);
	if (suite && gnutls_priority_set(session, suite->only))
		return REFUSAL_CIPHER;
	return REFUSAL_NONE;
}
