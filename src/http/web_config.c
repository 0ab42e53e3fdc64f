/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/web_config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "cli/duration.h"
#include "cli/flags.h"
#include "util/buf.h"

#define FILE_MAX	(1024UL * 1024)
#define FIELDS_MAX	16

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *const web_header_names[WEB_HEADERS] = {
	[HEADER_CONTENT_SECURITY_POLICY] = "Content-Security-Policy",
	[HEADER_X_FRAME_OPTIONS] = "X-Frame-Options",
	[HEADER_X_CONTENT_TYPE_OPTIONS] = "X-Content-Type-Options",
	[HEADER_X_XSS_PROTECTION] = "X-XSS-Protection",
	[HEADER_STRICT_TRANSPORT_SECURITY] = "Strict-Transport-Security",
};

/* A file being read. */
struct reader {
	const char *path;
	yaml_document_t document;
	struct web_config *config;
	char *error;
	size_t error_size;
};

/* One key of a mapping, and what reads its value. */
struct field {
	const char *name;
	int (*read)(struct reader *reader, const struct field *field, const yaml_node_t *node);
	size_t offset; /* in struct web_config */
	const char *const *choices;
};

__attribute__((format(printf, 3, 4))) static int
wrong(const struct reader *reader, const yaml_node_t *node, const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (node)
		snprintf(reader->error, reader->error_size, "%s: line %zu: %s", reader->path,
			 node->start_mark.line + 1, message);
	else
		snprintf(reader->error, reader->error_size, "%s: %s", reader->path, message);
	return -EINVAL;
}

static const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* A scalar without a NUL in it; an empty value is one, too. */
static int check_scalar(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE || strlen(text_of(node)) != node->data.scalar.length)
		return wrong(reader, node, "%s must be a text", field->name);
	return 0;
}

static void *target_of(struct reader *reader, const struct field *field)
{
	return (char *)reader->config + field->offset;
}

/* An empty text is as if the key were not there. */
static int read_text(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	char **to = target_of(reader, field);
	int err = check_scalar(reader, field, node);

	if (err || !text_of(node)[0])
		return err;
	*to = strdup(text_of(node));
	return *to ? 0 : -ENOMEM;
}

/* The path of a file, from the configuration's folder on. */
static int read_file(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	const char *slash = strrchr(reader->path, '/');
	char **to = target_of(reader, field);
	struct buf whole = {0};
	int err = check_scalar(reader, field, node);

	if (err || !text_of(node)[0])
		return err;
	if (text_of(node)[0] != '/' && slash)
		buf_add(&whole, reader->path, (size_t)(slash - reader->path) + 1);
	buf_puts(&whole, text_of(node));
	*to = buf_take(&whole);
	return *to ? 0 : -ENOMEM;
}

static int read_bool(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	bool *to = target_of(reader, field);
	int err = check_scalar(reader, field, node);

	if (err)
		return err;
	*to = strcmp(text_of(node), "true") == 0;
	if (!*to && strcmp(text_of(node), "false") != 0)
		return wrong(reader, node, "%s must be true or false", field->name);
	return 0;
}

static int read_choice(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	int *to = target_of(reader, field);
	int i, err = check_scalar(reader, field, node);

	for (i = 0; !err && field->choices[i]; i++) {
		if (strcmp(field->choices[i], text_of(node)) == 0) {
			*to = i;
			return 0;
		}
	}
	return err ?: wrong(reader, node, "%s: \"%.60s\" is not known", field->name, text_of(node));
}

static int read_list(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	struct string_list *to = target_of(reader, field);
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE)
		return wrong(reader, node, "%s must be a list", field->name);
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *element = yaml_document_get_node(&reader->document, *item);
		char **values = realloc(to->values, (to->count + 1) * sizeof(*values));
		int err = check_scalar(reader, field, element);

		if (values)
			to->values = values;
		if (err || !values)
			return err ?: -ENOMEM;
		values[to->count] = strdup(text_of(element));
		if (!values[to->count])
			return -ENOMEM;
		to->count++;
	}
	return 0;
}

static int read_duration(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	uint64_t *to = target_of(reader, field);
	int err = check_scalar(reader, field, node);

	if (err)
		return err;
	if (duration_parse(text_of(node), to))
		return wrong(reader, node, "%s must be a time, such as 500ms", field->name);
	return 0;
}

static int read_uint(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	uint64_t *to = target_of(reader, field);
	int err = check_scalar(reader, field, node);

	if (err)
		return err;
	*to = strtoull(text_of(node), NULL, 10);
	if (!text_of(node)[0] || text_of(node)[strspn(text_of(node), "0123456789")] ||
	    strlen(text_of(node)) > 9)
		return wrong(reader, node, "%s must be a number", field->name);
	return 0;
}

static int unknown_key(struct reader *reader, const struct field *fields, size_t count,
		       const yaml_node_t *key)
{
	const char *names[FIELDS_MAX], *near;
	size_t i;

	for (i = 0; i < count; i++)
		names[i] = fields[i].name;
	near = closest_word(text_of(key), names, count);
	return wrong(reader, key, "unknown key \"%.60s\"%s%s%s", text_of(key),
		     near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Reads the keys of a mapping; what is not among the fields, or stands twice, is wrong. */
static int read_fields(struct reader *reader, const char *name, const yaml_node_t *node,
		       const struct field *fields, size_t count)
{
	yaml_node_pair_t *pair;
	bool seen[FIELDS_MAX] = {false};
	size_t i;
	int err;

	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		return 0; /* "tls_server_config:" with nothing below it */
	if (node->type != YAML_MAPPING_NODE)
		return wrong(reader, node, "%s must be a mapping", name);
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);

		if (key->type != YAML_SCALAR_NODE)
			return wrong(reader, key, "a key must be a text");
		for (i = 0; i < count && strcmp(fields[i].name, text_of(key)) != 0; i++)
			;
		if (i == count)
			return unknown_key(reader, fields, count, key);
		if (seen[i])
			return wrong(reader, key, "%s stands twice", fields[i].name);
		seen[i] = true;
		err = fields[i].read(reader, &fields[i], value);
		if (err)
			return err;
	}
	return 0;
}

#define FIELD(key, reads, member)                                                                  \
	{                                                                                          \
		.name = (key), .read = (reads), .offset = offsetof(struct web_config, member)      \
	}
#define CHOICE(key, member, words)                                                                 \
	{                                                                                          \
		.name = (key), .read = read_choice, .offset = offsetof(struct web_config, member), \
		.choices = (words)                                                                 \
	}

static const char *const client_auths[] = {
	"NoClientCert",
	"RequestClientCert",
	"RequireAnyClientCert",
	"VerifyClientCertIfGiven",
	"RequireAndVerifyClientCert",
	NULL,
};

static const char *const tls_versions[] = {"TLS10", "TLS11", "TLS12", "TLS13", NULL};

static int read_tls(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	static const struct field fields[] = {
		FIELD("cert", read_text, tls.cert),
		FIELD("key", read_text, tls.key),
		FIELD("client_ca", read_text, tls.client_ca),
		FIELD("cert_file", read_file, tls.cert_file),
		FIELD("key_file", read_file, tls.key_file),
		FIELD("client_ca_file", read_file, tls.client_ca_file),
		CHOICE("client_auth_type", tls.client_auth, client_auths),
		FIELD("client_allowed_sans", read_list, tls.client_allowed_sans),
		CHOICE("min_version", tls.min_version, tls_versions),
		CHOICE("max_version", tls.max_version, tls_versions),
		FIELD("cipher_suites", read_list, tls.cipher_suites),
		FIELD("prefer_server_cipher_suites", read_bool, tls.prefer_server_cipher_suites),
		FIELD("curve_preferences", read_list, tls.curve_preferences),
	};

	reader->config->tls.enabled = node->type == YAML_MAPPING_NODE;
	return read_fields(reader, field->name, node, fields, COUNT_OF(fields));
}

/* The values that a browser understands; the others may be anything. */
static int read_header(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	int err = read_text(reader, field, node);
	const char *text = err ? "" : text_of(node);

	if (err || !text[0])
		return err;
	if (strpbrk(text, "\r\n"))
		return wrong(reader, node, "%s must be one line", field->name);
	if (strcmp(field->name, web_header_names[HEADER_X_FRAME_OPTIONS]) == 0 &&
	    strcasecmp(text, "deny") != 0 && strcasecmp(text, "sameorigin") != 0)
		return wrong(reader, node, "%s must be deny or sameorigin", field->name);
	if (strcmp(field->name, web_header_names[HEADER_X_CONTENT_TYPE_OPTIONS]) == 0 &&
	    strcasecmp(text, "nosniff") != 0)
		return wrong(reader, node, "%s must be nosniff", field->name);
	return 0;
}

static int read_headers(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	struct field fields[WEB_HEADERS];
	int i;

	for (i = 0; i < WEB_HEADERS; i++)
		fields[i] = (struct field){
			.name = web_header_names[i],
			.read = read_header,
			.offset = offsetof(struct web_config, headers) +
				  (size_t)i * sizeof(reader->config->headers[0]),
		};
	return read_fields(reader, field->name, node, fields, WEB_HEADERS);
}

static int read_http(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	static const struct field fields[] = {
		FIELD("http2", read_bool, http2),
		{.name = "headers", .read = read_headers},
	};

	return read_fields(reader, field->name, node, fields, COUNT_OF(fields));
}

static int read_rate(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	static const struct field fields[] = {
		FIELD("interval", read_duration, rate_interval_ns),
		FIELD("burst", read_uint, rate_burst),
	};

	return read_fields(reader, field->name, node, fields, COUNT_OF(fields));
}

/* $2y$10$ and 53 characters of salt and hash */
static bool is_bcrypt(const char *hash)
{
	static const char base64[] =
		"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	return strlen(hash) == 60 && hash[0] == '$' && hash[1] == '2' && strchr("aby", hash[2]) &&
	       hash[3] == '$' && strspn(hash + 4, "0123456789") == 2 && hash[6] == '$' &&
	       strspn(hash + 7, base64) == 53;
}

static int add_user(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value)
{
	static const struct field field = {.name = "basic_auth_users"};
	struct web_config *config = reader->config;
	struct web_user *users, *user;
	size_t i;
	int err = check_scalar(reader, &field, key) ?: check_scalar(reader, &field, value);

	if (err)
		return err;
	for (i = 0; i < config->user_count; i++)
		if (strcmp(config->users[i].name, text_of(key)) == 0)
			return wrong(reader, key, "user %.60s stands twice", text_of(key));
	if (strchr(text_of(key), ':'))
		return wrong(reader, key, "a user's name cannot have a colon");
	if (!is_bcrypt(text_of(value)))
		return wrong(
			reader, value,
			"the password of %.60s is no bcrypt hash; make one with: htpasswd -nBC 10 "
			"\"\" | tr -d ':\\n'",
			text_of(key));
	users = realloc(config->users, (config->user_count + 1) * sizeof(*users));
	if (!users)
		return -ENOMEM;
	config->users = users;
	user = &users[config->user_count++];
	user->name = strdup(text_of(key));
	user->hash = strdup(text_of(value));
	return user->name && user->hash ? 0 : -ENOMEM;
}

static int read_users(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	yaml_node_pair_t *pair;
	int err = 0;

	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(reader, node, "%s must be a mapping", field->name);
	for (pair = node->data.mapping.pairs.start; !err && pair < node->data.mapping.pairs.top;
	     pair++)
		err = add_user(reader, yaml_document_get_node(&reader->document, pair->key),
			       yaml_document_get_node(&reader->document, pair->value));
	return err;
}

/* What can be seen without reading the files. */
static int check_tls(const struct reader *reader)
{
	const struct tls_config *tls = &reader->config->tls;
	bool ca = tls->client_ca || tls->client_ca_file;

	if (!tls->enabled)
		return 0;
	if (!tls->cert == !tls->cert_file)
		return wrong(reader, NULL, "tls_server_config needs one of cert_file and cert");
	if (!tls->key == !tls->key_file)
		return wrong(reader, NULL, "tls_server_config needs one of key_file and key");
	if (tls->client_ca && tls->client_ca_file)
		return wrong(reader, NULL, "client_ca_file and client_ca exclude one another");
	if (ca && tls->client_auth == CLIENT_AUTH_NONE)
		return wrong(reader, NULL,
			     "a client CA without client_auth_type lets everyone in: set it to "
			     "RequireAndVerifyClientCert");
	if (!ca && tls->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN)
		return wrong(reader, NULL, "client_auth_type %s needs client_ca_file",
			     client_auths[tls->client_auth]);
	if (tls->client_allowed_sans.count && tls->client_auth != CLIENT_AUTH_REQUIRE_ANY &&
	    tls->client_auth != CLIENT_AUTH_REQUIRE_AND_VERIFY)
		return wrong(
			reader, NULL,
			"client_allowed_sans needs client_auth_type RequireAndVerifyClientCert");
	if (tls->min_version > tls->max_version)
		return wrong(reader, NULL, "min_version is above max_version");
	return 0;
}

static int read_root(struct reader *reader)
{
	static const struct field fields[] = {
		{.name = "tls_server_config", .read = read_tls},
		{.name = "http_server_config", .read = read_http},
		{.name = "basic_auth_users", .read = read_users},
		{.name = "rate_limit", .read = read_rate},
	};
	const yaml_node_t *root = yaml_document_get_root_node(&reader->document);

	if (!root)
		return 0; /* an empty file asks for nothing */
	return read_fields(reader, "the file", root, fields, COUNT_OF(fields)) ?: check_tls(reader);
}

/* Loads the only document of the text. */
static int load(struct reader *reader, const struct buf *text)
{
	yaml_parser_t parser;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text->data ?: ""), text->len);
	if (!yaml_parser_load(&parser, &reader->document)) {
		snprintf(reader->error, reader->error_size, "%s: line %zu: %s", reader->path,
			 parser.problem_mark.line + 1, parser.problem ?: "this is no YAML");
		err = -EINVAL;
	}
	yaml_parser_delete(&parser);
	return err;
}

int web_config_read(const char *path, struct web_config *config, char *error, size_t error_size)
{
	struct reader reader = {
		.path = path, .config = config, .error = error, .error_size = error_size};
	struct buf text;
	int err;

	*config = (struct web_config){
		.http2 = true,
		.tls = {.min_version = TLS_1_2,
			.max_version = TLS_1_3,
			.prefer_server_cipher_suites = true},
	};
	err = buf_read_file(&text, path, FILE_MAX);
	if (err) {
		snprintf(error, error_size, "%s: %s", path, strerror(-err));
		return err;
	}
	err = load(&reader, &text);
	buf_free(&text);
	if (!err) {
		err = read_root(&reader);
		yaml_document_delete(&reader.document);
	}
	if (err == -ENOMEM)
		snprintf(error, error_size, "%s: %s", path, strerror(ENOMEM));
	if (err)
		web_config_free(config);
	return err;
}

static void list_free(struct string_list *list)
{
	while (list->count)
		free(list->values[--list->count]);
	free(list->values);
}

void web_config_free(struct web_config *config)
{
	struct tls_config *tls = &config->tls;
	char *texts[] = {tls->cert,	 tls->key,	tls->client_ca,
			 tls->cert_file, tls->key_file, tls->client_ca_file};
	size_t i;

	for (i = 0; i < COUNT_OF(texts); i++)
		free(texts[i]);
	list_free(&tls->client_allowed_sans);
	list_free(&tls->cipher_suites);
	list_free(&tls->curve_preferences);
	for (i = 0; i < WEB_HEADERS; i++)
		free(config->headers[i]);
	for (i = 0; i < config->user_count; i++) {
		free(config->users[i].name);
		free(config->users[i].hash);
	}
	free(config->users);
	*config = (struct web_config){0};
}
