/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls_fit.h"

#include <stddef.h>
#include <strings.h>

#include "util/array.h"

/* Numbers: the IANA's registry "TLS Supported Groups". The names are GnuTLS'. */
static const struct group {
	const char *name;
	uint16_t id;
	bool curve, field; /* what kind of group it is in TLS 1.2 */
} groups[] = {
	{"SECP192R1", 19, true, false},
	{"SECP224R1", 21, true, false},
	{"SECP256R1", 23, true, false},
	{"SECP384R1", 24, true, false},
	{"SECP521R1", 25, true, false},
	{"X25519", 29, true, false},
	{"X448", 30, true, false},
	{"FFDHE2048", 0x100, false, true},
	{"FFDHE3072", 0x101, false, true},
	{"FFDHE4096", 0x102, false, true},
	{"FFDHE6144", 0x103, false, true},
	{"FFDHE8192", 0x104, false, true},
	{"SECP256R1-MLKEM768", 0x11eb, false, false},
	{"X25519-MLKEM768", 0x11ec, false, false},
	{"SECP384R1-MLKEM1024", 0x11ed, false, false},
};

static const struct group *find_group(const char *name)
{
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(groups); i++)
		if (strcasecmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}

static void look_for_groups(struct tls_fit *fit, gnutls_priority_t ours,
			    const struct tls_numbers *offered)
{
	const unsigned int *list;
	const struct group *group;
	int i, count = gnutls_priority_group_list(ours, &list);

	for (i = 0; i < count; i++) {
		group = find_group(gnutls_group_get_name((gnutls_group_t)list[i]));
		if (!group) {
			fit->group = true; /* a newer one, whose number only GnuTLS knows */
		} else if (tls_numbers_have(offered, group->id)) {
			fit->group = true;
			fit->curve |= group->curve;
			fit->field |= group->field;
		}
	}
}

/* Numbers: the IANA's registry "TLS SignatureScheme". In TLS 1.3 ECDSA is bound to a curve. */
static const struct signature {
	uint16_t id;
	int kind;
	unsigned int bytes_1_3; /* of the curve; 0: of any key */
	bool in_1_3;
	gnutls_sign_algorithm_t sign;
} signatures[] = {
	{0x0201, GNUTLS_PK_RSA, 0, false, GNUTLS_SIGN_RSA_SHA1},
	{0x0301, GNUTLS_PK_RSA, 0, false, GNUTLS_SIGN_RSA_SHA224},
	{0x0401, GNUTLS_PK_RSA, 0, false, GNUTLS_SIGN_RSA_SHA256},
	{0x0501, GNUTLS_PK_RSA, 0, false, GNUTLS_SIGN_RSA_SHA384},
	{0x0601, GNUTLS_PK_RSA, 0, false, GNUTLS_SIGN_RSA_SHA512},
	{0x0804, GNUTLS_PK_RSA, 0, true, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256},
	{0x0805, GNUTLS_PK_RSA, 0, true, GNUTLS_SIGN_RSA_PSS_RSAE_SHA384},
	{0x0806, GNUTLS_PK_RSA, 0, true, GNUTLS_SIGN_RSA_PSS_RSAE_SHA512},
	{0x0809, GNUTLS_PK_RSA_PSS, 0, true, GNUTLS_SIGN_RSA_PSS_SHA256},
	{0x080a, GNUTLS_PK_RSA_PSS, 0, true, GNUTLS_SIGN_RSA_PSS_SHA384},
	{0x080b, GNUTLS_PK_RSA_PSS, 0, true, GNUTLS_SIGN_RSA_PSS_SHA512},
	{0x0203, GNUTLS_PK_ECDSA, 0, false, GNUTLS_SIGN_ECDSA_SHA1},
	{0x0303, GNUTLS_PK_ECDSA, 0, false, GNUTLS_SIGN_ECDSA_SHA224},
	{0x0403, GNUTLS_PK_ECDSA, 32, true, GNUTLS_SIGN_ECDSA_SHA256},
	{0x0503, GNUTLS_PK_ECDSA, 48, true, GNUTLS_SIGN_ECDSA_SHA384},
	{0x0603, GNUTLS_PK_ECDSA, 66, true, GNUTLS_SIGN_ECDSA_SHA512},
	{0x0807, GNUTLS_PK_EDDSA_ED25519, 0, true, GNUTLS_SIGN_EDDSA_ED25519},
	{0x0808, GNUTLS_PK_EDDSA_ED448, 0, true, GNUTLS_SIGN_EDDSA_ED448},
};

static bool has_signature(gnutls_priority_t ours, gnutls_sign_algorithm_t sign)
{
	const unsigned int *list;
	int i, count = gnutls_priority_sign_list(ours, &list);

	for (i = 0; i < count; i++)
		if (list[i] == (unsigned int)sign)
			return true;
	return false;
}

static bool shares_signature(gnutls_priority_t ours, const struct tls_key *key,
			     const struct tls_numbers *offered, bool is_1_3)
{
	const struct signature *signature;
	bool known = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signatures); i++) {
		signature = &signatures[i];
		if (signature->kind != key->kind)
			continue;
		known = true;
		if (is_1_3 && (!signature->in_1_3 ||
			       (signature->bytes_1_3 && signature->bytes_1_3 != key->bytes)))
			continue;
		if (tls_numbers_have(offered, signature->id) &&
		    has_signature(ours, signature->sign))
			return true;
	}
	return !known;
}

struct tls_fit tls_fit_of(gnutls_priority_t ours, const struct tls_key *key,
			  const struct tls_hello *hello, uint16_t version)
{
	struct tls_fit fit = {.signature = true};

	if (hello->groups.at)
		look_for_groups(&fit, ours, &hello->groups);
	else
		fit.group = fit.curve = true;
	/* Before TLS 1.2 there is nothing to choose. */
	if (version >= TLS_VERSION_1_2 && hello->signatures.at)
		fit.signature =
			shares_signature(ours, key, &hello->signatures, version == TLS_VERSION_1_3);
	return fit;
}
