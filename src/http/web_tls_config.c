/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The section tls_server_config of a web configuration. */
#include "http/yaml_fields.h"
#include "util/array.h"

static const struct choice client_auths[] = {
	{"NoClientCert", CLIENT_AUTH_NONE},
	{"RequestClientCert", CLIENT_AUTH_REQUEST},
	{"RequireAnyClientCert", CLIENT_AUTH_REQUIRE_ANY},
	{"VerifyClientCertIfGiven", CLIENT_AUTH_VERIFY_IF_GIVEN},
	{"RequireAndVerifyClientCert", CLIENT_AUTH_REQUIRE_AND_VERIFY},
	{"RequireClientCert", CLIENT_AUTH_REQUIRE_ANY}, /* the toolkit's first name of it */
	{NULL, 0},
};

static const struct choice tls_versions[] = {
	{"TLS10", TLS_1_0}, {"TLS11", TLS_1_1}, {"TLS12", TLS_1_2}, {"TLS13", TLS_1_3}, {NULL, 0},
};

/* Whether client_auth_type has a value, which may be the default. */
static int read_client_auth(struct reader *reader, const struct field *field,
			    const yaml_node_t *node)
{
	int err = read_choice(reader, field, node);

	if (!err && text_of(node)[0] && !is_null(node))
		reader->config->tls.client_auth_given = true;
	return err;
}

int read_tls(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	static const struct field fields[] = {
		FIELD("cert", read_text, tls.cert),
		FIELD("key", read_text, tls.key),
		FIELD("client_ca", read_text, tls.client_ca),
		FIELD("cert_file", read_path, tls.cert_file),
		FIELD("key_file", read_path, tls.key_file),
		FIELD("client_ca_file", read_path, tls.client_ca_file),
		{.name = "client_auth_type",
		 .read = read_client_auth,
		 .offset = offsetof(struct web_config, tls.client_auth),
		 .choices = client_auths},
		FIELD("client_allowed_sans", read_list, tls.client_allowed_sans),
		CHOICE("min_version", tls.min_version, tls_versions),
		CHOICE("max_version", tls.max_version, tls_versions),
		FIELD("cipher_suites", read_list, tls.cipher_suites),
		FIELD("prefer_server_cipher_suites", read_bool, tls.prefer_server_cipher_suites),
		FIELD("curve_preferences", read_list, tls.curve_preferences),
	};
	struct tls_config *tls = &reader->config->tls;
	int err = read_fields(reader, field->name, node, fields, ARRAY_SIZE(fields));

	/* As in the toolkit: versions and ciphers alone turn nothing on. */
	tls->enabled = tls->cert || tls->cert_file || tls->key || tls->key_file || tls->client_ca ||
		       tls->client_ca_file || tls->client_auth_given;
	tls->incomplete = !tls->enabled && node->type == YAML_MAPPING_NODE &&
			  node->data.mapping.pairs.top > node->data.mapping.pairs.start;
	return err;
}

static int check_sans(const struct reader *reader)
{
	const struct tls_config *tls = &reader->config->tls;

	if (!tls->client_allowed_sans.given)
		return 0;
	if (tls->client_auth != CLIENT_AUTH_REQUIRE_ANY &&
	    tls->client_auth != CLIENT_AUTH_REQUIRE_AND_VERIFY)
		return wrong(
			reader, NULL,
			"client_allowed_sans needs client_auth_type RequireAndVerifyClientCert");
	if (!tls->client_allowed_sans.count)
		return wrong(reader, NULL,
			     "client_allowed_sans is empty, so that nobody could connect: name "
			     "who may, or leave it out");
	return 0;
}

/* What can be seen without reading the files. */
int check_tls(const struct reader *reader)
{
	const struct tls_config *tls = &reader->config->tls;

	if (!tls->enabled)
		return 0;
	if (!tls->cert && !tls->cert_file)
		return wrong(reader, NULL, "tls_server_config needs one of cert_file and cert");
	if (!tls->key && !tls->key_file)
		return wrong(reader, NULL, "tls_server_config needs one of key_file and key");
	if ((tls->client_ca || tls->client_ca_file) && tls->client_auth == CLIENT_AUTH_NONE)
		return wrong(reader, NULL,
			     "a client CA without client_auth_type lets everyone in: set it to "
			     "RequireAndVerifyClientCert");
	if (tls->min_version > tls->max_version)
		return wrong(reader, NULL,
			     "min_version is above max_version, so that nobody could connect");
	return check_sans(reader);
}
