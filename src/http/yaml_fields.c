/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/yaml_fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flags.h"
#include "http/go_values.h"
#include "util/buf.h"

#define FIELDS_MAX 16

int wrong(const struct reader *reader, const yaml_node_t *node, const char *format, ...)
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

static bool is_plain(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool is_null(const yaml_node_t *node)
{
	return is_plain(node) && strlen(text_of(node)) == node->data.scalar.length &&
	       go_is_null(text_of(node));
}

const char *text_of(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

int check_scalar(struct reader *reader, const char *name, const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE || strlen(text_of(node)) != node->data.scalar.length)
		return wrong(reader, node, "%s must be a text", name);
	return 0;
}

void *target_of(struct reader *reader, const struct field *field)
{
	return (char *)reader->config + field->offset;
}

int read_text(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	char **to = target_of(reader, field);
	int err = check_scalar(reader, field->name, node);

	if (err || !text_of(node)[0] || is_null(node))
		return err;
	*to = strdup(text_of(node));
	return *to ? 0 : -ENOMEM;
}

/* A relative path begins at the configuration's folder. */
int read_path(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	const char *slash = strrchr(reader->path, '/');
	char **to = target_of(reader, field);
	struct buf whole = {0};
	int err = check_scalar(reader, field->name, node);

	if (err || !text_of(node)[0] || is_null(node))
		return err;
	if (text_of(node)[0] != '/' && slash)
		buf_add(&whole, reader->path, (size_t)(slash - reader->path) + 1);
	buf_puts(&whole, text_of(node));
	*to = buf_take(&whole);
	return *to ? 0 : -ENOMEM;
}

int read_bool(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	int err = check_scalar(reader, field->name, node);

	if (err || is_null(node))
		return err;
	if (go_bool_parse(text_of(node), target_of(reader, field)))
		return wrong(reader, node, "%s must be true or false", field->name);
	return 0;
}

int read_choice(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	int *to = target_of(reader, field);
	int i, err = check_scalar(reader, field->name, node);

	if (err || !text_of(node)[0] || is_null(node))
		return err;
	for (i = 0; field->choices[i].name; i++) {
		if (strcmp(field->choices[i].name, text_of(node)) == 0) {
			*to = field->choices[i].value;
			return 0;
		}
	}
	return wrong(reader, node, "%s: \"%.60s\" is not known", field->name, text_of(node));
}

int read_list(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	struct string_list *to = target_of(reader, field);
	yaml_node_item_t *item;

	if (is_null(node))
		return 0;
	if (node->type != YAML_SEQUENCE_NODE)
		return wrong(reader, node, "%s must be a list", field->name);
	to->given = true;
	for (item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		const yaml_node_t *element = yaml_document_get_node(&reader->document, *item);
		char **values = realloc(to->values, (to->count + 1) * sizeof(*values));
		int err = check_scalar(reader, field->name, element);

		if (values)
			to->values = values;
		if (err || !values)
			return err ?: -ENOMEM;
		values[to->count] = strdup(is_null(element) ? "" : text_of(element));
		if (!values[to->count])
			return -ENOMEM;
		to->count++;
	}
	return 0;
}

int read_interval(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	uint64_t *to = target_of(reader, field);
	int64_t ns;
	int err = check_scalar(reader, field->name, node);

	if (err || is_null(node))
		return err;
	/* A plain number is nanoseconds for Go. */
	err = is_plain(node) ? go_int_parse(text_of(node), &ns) : -EINVAL;
	if (err)
		err = go_duration_parse(text_of(node), &ns);
	if (err)
		return wrong(reader, node, "%s must be a time, such as 500ms or 1.5s", field->name);
	*to = ns > 0 ? (uint64_t)ns : 0;
	return 0;
}

int read_count(struct reader *reader, const struct field *field, const yaml_node_t *node)
{
	uint64_t *to = target_of(reader, field);
	int64_t number;
	int err = check_scalar(reader, field->name, node);

	if (err || is_null(node))
		return err;
	if (!is_plain(node) || go_int_parse(text_of(node), &number) || number < 0)
		return wrong(reader, node, "%s must be a number, 0 or more", field->name);
	*to = (uint64_t)number;
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

int read_fields(struct reader *reader, const char *name, const yaml_node_t *node,
		const struct field *fields, size_t count)
{
	yaml_node_pair_t *pair;
	bool seen[FIELDS_MAX] = {false};
	size_t i;
	int err;

	if (is_null(node))
		return 0;
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
