/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/auth.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "util/buf.h"
#include "util/clock.h"

/* An unknown user's password is compared with this, so the answer takes as long as for a known one.
 */
#define NOBODY_HASH "$2y$10$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa"

/* Decodes "Basic dXNlcjpwYXNz" to "user:pass". Returns whether it is that. */
static bool decode(const char *authorization, struct buf *out)
{
	gnutls_datum_t base64, text;

	if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0)
		return false;
	authorization += 6 + strspn(authorization + 6, " ");
	base64.data = (unsigned char *)authorization;
	base64.size = (unsigned int)strlen(authorization);
	if (!base64.size || gnutls_base64_decode2(&base64, &text))
		return false;
	buf_add(out, text.data, text.size);
	gnutls_memset(text.data, 0, text.size);
	gnutls_free(text.data);
	return !buf_failed(out) && out->len && strlen(out->data) == out->len &&
	       strchr(out->data, ':');
}

static const char *hash_of(const struct web_config *config, const char *user)
{
	size_t i;

	for (i = 0; i < config->user_count; i++)
		if (strcmp(config->users[i].name, user) == 0)
			return config->users[i].hash;
	return NULL;
}

/* A digest of user, hash and password. Without the key it tells nothing about them. */
static bool digest_of(struct auth *auth, const char *credentials, const char *hash,
		      unsigned char digest[AUTH_DIGEST])
{
	struct buf text = {0};
	int err;

	if (!auth->has_key && gnutls_rnd(GNUTLS_RND_KEY, auth->key, sizeof(auth->key)))
		return false;
	auth->has_key = true;
	buf_puts(&text, hash);
	buf_puts(&text, credentials);
	err = buf_failed(&text) ? -1
				: gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key),
						   text.data, text.len, digest);
	if (text.data)
		gnutls_memset(text.data, 0, text.len);
	buf_free(&text);
	return err == 0;
}

static bool take_token(struct auth *auth, uint64_t now_ns)
{
	if (!auth->filled_ns)
		auth->tokens = AUTH_BURST;
	else
		auth->tokens += (double)(now_ns - auth->filled_ns) / (double)NS_PER_S;
	auth->filled_ns = now_ns;
	if (auth->tokens > AUTH_BURST)
		auth->tokens = AUTH_BURST;
	if (auth->tokens < 1)
		return false;
	auth->tokens--;
	return true;
}

static bool password_matches(const char *password, const char *hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
	const char *found;
	bool matches;

	if (!data)
		return false;
	found = crypt_r(password, hash, data);
	matches = found && strlen(found) == strlen(hash) &&
		  gnutls_memcmp(found, hash, strlen(hash)) == 0;
	gnutls_memset(data, 0, sizeof(*data));
	free(data);
	return matches;
}

static void remember(struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST])
{
	memcpy(memory->digest[memory->next], digest, AUTH_DIGEST);
	memory->next = (memory->next + 1) % AUTH_REMEMBERED;
	if (memory->count < AUTH_REMEMBERED)
		memory->count++;
}

static bool is_known(const struct auth_memory *memory, const unsigned char digest[AUTH_DIGEST])
{
	size_t i;

	for (i = 0; i < memory->count; i++)
		if (gnutls_memcmp(memory->digest[i], digest, AUTH_DIGEST) == 0)
			return true;
	return false;
}

static enum auth_verdict check(struct auth *auth, const struct web_config *config,
			       char *credentials, uint64_t now_ns)
{
	unsigned char digest[AUTH_DIGEST];
	char *colon = strchr(credentials, ':');
	const char *hash;
	bool right;

	*colon = '\0';
	hash = hash_of(config, credentials);
	*colon = ':';
	if (!digest_of(auth, credentials, hash ?: "", digest))
		return AUTH_LATER;
	if (is_known(&auth->right, digest))
		return AUTH_PASSED;
	if (is_known(&auth->wrong, digest))
		return AUTH_FAILED;
	if (!take_token(auth, now_ns))
		return AUTH_LATER;
	right = password_matches(colon + 1, hash ?: NOBODY_HASH) && hash;
	remember(right ? &auth->right : &auth->wrong, digest);
	return right ? AUTH_PASSED : AUTH_FAILED;
}

enum auth_verdict auth_check(struct auth *auth, const struct web_config *config,
			     const char *authorization, uint64_t now_ns)
{
	enum auth_verdict verdict = AUTH_FAILED;
	struct buf credentials = {0};

	if (!config->user_count)
		return AUTH_PASSED;
	if (decode(authorization, &credentials))
		verdict = check(auth, config, credentials.data, now_ns);
	if (credentials.data)
		gnutls_memset(credentials.data, 0, credentials.size);
	buf_free(&credentials);
	return verdict;
}
