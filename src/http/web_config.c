/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/yaml_fields.h"
#include "util/array.h"
#include "util/ascii.h"
#include "util/buf.h"
#include "util/given_file.h"

#define FILE_MAX  (1024UL * 1024)
#define MAKE_HASH "make one with: htpasswd -nBC 10 \"\" | tr -d ':\\n'"

const char *const web_header_names[WEB_HEADERS] = {
	[HEADER_CONTENT_SECURITY_POLICY] = "Content-Security-Policy",
	[HEADER_X_FRAME_OPTIONS] = "X-Frame-Options",
	[HEADER_X_CONTENT_TYPE_OPTIONS] = "X-Content-Type-Options",
	[HEADER_X_XSS_PROTECTION] = "X-XSS-Protection",
	[HEADER_STRICT_TRANSPORT_SECURITY] = "Strict-Transport-Security",
};

/* Lines become one, as Go's server writes them. */
static void join_lines(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \r\n", text[len - 1]))
		text[--len] = '\0';
	for (; *text; text++)
		if (*text == '\r' || *text == '\n' || *text == '\t')
			*text = ' ';
}

static bool has_controls(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* The values that a browser understands; the others may be anything. */
static int read_header(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	int err = read_text(reader, field, node);
	char *text = err ? NULL : *(char **)target_of(reader, field);

	if (!text)
		return err;
	join_lines(text);
	if (has_controls(text))
		return wrong(reader, node, "%s has a control character", field->name);
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

	return read_fields(reader, field->name, node, fields, ARRAY_SIZE(fields));
}

static int read_rate(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	static const struct field fields[] = {
		FIELD("interval", read_interval, rate_interval_ns),
		FIELD("burst", read_count, rate_burst),
	};

	return read_fields(reader, field->name, node, fields, ARRAY_SIZE(fields));
}

/*
 * Reads "$2y$10$" and 53 characters of salt and hash. The letter may differ or be missing: the
 * toolkit treats all of these alike. Returns a copy with 2b, which crypt(3) knows. Returns NULL if
 * it is not such a hash (*err is 0) or if memory ran out (*err is -ENOMEM).
 */
static char *copy_bcrypt(const char *hash, int *err)
{
	static const char base64[] =
		"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *rest = hash + 2; /* from the third dollar on */
	char *copy;

	*err = 0;
	if (strncmp(hash, "$2", 2) != 0)
		return NULL;
	if (ascii_lower(*rest))
		rest++;
	if (strlen(rest) != 57 || rest[0] != '$' || strspn(rest + 1, "0123456789") != 2 ||
	    rest[3] != '$' || strspn(rest + 4, base64) != 53)
		return NULL;
	if (strncmp(rest + 1, "04", 2) < 0 || strncmp(rest + 1, "31", 2) > 0)
		return NULL;
	if (asprintf(&copy, "$2b%s", rest) >= 0)
		return copy;
	*err = -ENOMEM;
	return NULL;
}

static int check_user(struct reader *reader, const yaml_node_t *key)
{
	const struct web_config *config = reader->config;
	size_t i;

	for (i = 0; i < config->user_count; i++)
		if (strcmp(config->users[i].name, text_of(key)) == 0)
			return wrong(reader, key, "user %.60s stands twice", text_of(key));
	if (strchr(text_of(key), ':'))
		return wrong(reader, key,
			     "user %.60s: a name with a colon cannot be sent by a client",
			     text_of(key));
	return 0;
}

/* Reads a hash and its cost. */
static int read_hash(struct reader *reader, const yaml_node_t *key, const yaml_node_t *value,
		     struct web_user *user)
{
	int err;

	user->hash = copy_bcrypt(text_of(value), &err);
	if (!user->hash)
		return err
			       ?: wrong(reader, value,
					"the password of %.60s is no bcrypt hash of cost 4 to "
					"%d; " MAKE_HASH,
					text_of(key), WEB_COST_MAX);
	user->cost = (unsigned int)strtoul(user->hash + strlen("$2b$"), NULL, 10);
	if (user->cost <= WEB_COST_MAX)
		return 0;
	free(user->hash);
	user->hash = NULL;
	return wrong(reader, value,
		     "the password of %.60s is hashed with cost %u, which would take minutes on a "
		     "small machine; at most %d is taken, and 10 is usual; " MAKE_HASH,
		     text_of(key), user->cost, WEB_COST_MAX);
}

static int add_user(struct reader *reader, const char *name, const yaml_node_t *key,
		    const yaml_node_t *value)
{
	struct web_config *config = reader->config;
	struct web_user *users, user = {0};
	int err = check_scalar(reader, name, key) ?: check_scalar(reader, name, value);

	err = err ?: check_user(reader, key);
	err = err ?: read_hash(reader, key, value, &user);
	if (err)
		return err;
	user.name = strdup(text_of(key));
	users = realloc(config->users, (config->user_count + 1) * sizeof(*users));
	if (users)
		config->users = users;
	if (!users || !user.name) {
		free(user.name);
		free(user.hash);
		return -ENOMEM;
	}
	users[config->user_count++] = user;
	return 0;
}

static int read_users(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	yaml_node_pair_t *pair;
	int err = 0;

	if (is_null(node))
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(reader, node, "%s must be a mapping", field->name);
	for (pair = node->data.mapping.pairs.start; !err && pair < node->data.mapping.pairs.top;
	     pair++)
		err = add_user(reader, field->name,
			       yaml_document_get_node(&reader->document, pair->key),
			       yaml_document_get_node(&reader->document, pair->value));
	return err;
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
		return 0; /* it asks for nothing */
	return read_fields(reader, "the file", root, fields, ARRAY_SIZE(fields))
		       ?: check_tls(reader);
}

/* Loads the first document of the text. */
static int load(struct reader *reader, const struct buf *text)
{
	yaml_parser_t parser;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text->data ?: ""), text->len);
	if (!yaml_parser_load(&parser, &reader->document)) {
		err = parser.error == YAML_MEMORY_ERROR ? -ENOMEM : -EINVAL;
		snprintf(reader->error, reader->error_size, "%s: line %zu: %s", reader->path,
			 parser.problem_mark.line + 1, parser.problem ?: "this is no YAML");
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
	err = given_file_read(path, FILE_MAX, &text, error, error_size);
	if (err)
		return err;
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

unsigned int web_config_greatest_cost(const struct web_config *config)
{
	unsigned int cost = 0;
	size_t i;

	for (i = 0; i < config->user_count; i++)
		if (config->users[i].cost > cost)
			cost = config->users[i].cost;
	return cost;
}

void web_config_free(struct web_config *config)
{
	struct tls_config *tls = &config->tls;
	char *texts[] = {tls->cert,	 tls->key,	tls->client_ca,
			 tls->cert_file, tls->key_file, tls->client_ca_file};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
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
