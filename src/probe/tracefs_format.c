/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/tracefs_format.h"

#include <errno.h>
#include <string.h>

#include "util/array.h"

/* A part of the text. It has no NUL at its end. */
struct span {
	const char *at;
	size_t len;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct span trim(struct span span)
{
	while (span.len && is_space(span.at[0])) {
		span.at++;
		span.len--;
	}
	while (span.len && is_space(span.at[span.len - 1]))
		span.len--;
	return span;
}

/* Cuts off and gives what is before c, and drops c. False if there is no c. */
static bool cut(struct span *rest, char c, struct span *head)
{
	const char *end = rest->len ? memchr(rest->at, c, rest->len) : NULL;

	if (!end)
		return false;
	*head = (struct span){rest->at, (size_t)(end - rest->at)};
	rest->len -= head->len + 1;
	rest->at = end + 1;
	return true;
}

/* Cuts off a line. The last one may have no newline. False if nothing is left. */
static bool next_line(struct span *rest, struct span *line)
{
	if (!rest->len)
		return false;
	if (!cut(rest, '\n', line)) {
		*line = *rest;
		rest->len = 0;
	}
	*line = trim(*line);
	return true;
}

static bool starts(struct span *span, const char *prefix)
{
	size_t len = strlen(prefix);

	if (span->len < len || memcmp(span->at, prefix, len) != 0)
		return false;
	span->at += len;
	span->len -= len;
	return true;
}

static bool equals(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static bool number(struct span span, __u32 max, __u32 *value)
{
	__u64 sum = 0;

	if (!span.len)
		return false;
	for (size_t i = 0; i < span.len; i++) {
		if (!is_digit(span.at[i]))
			return false;
		sum = sum * 10 + (__u64)(span.at[i] - '0');
		if (sum > max)
			return false;
	}
	*value = (__u32)sum;
	return true;
}

/* Copies prefix and an identifier. */
static bool copy_name(char name[TRACEFS_NAME_MAX], const char *prefix, struct span span)
{
	size_t len = strlen(prefix);

	if (!span.len || is_digit(span.at[0]) || len + span.len >= TRACEFS_NAME_MAX)
		return false;
	for (size_t i = 0; i < span.len; i++)
		if (!is_word(span.at[i]))
			return false;
	memcpy(name, prefix, len);
	memcpy(name + len, span.at, span.len);
	name[len + span.len] = '\0';
	return true;
}

/* Splits "char comm[16]" to "char", "comm" and "16". */
static bool split_declaration(struct span text, struct span *type, struct span *name,
			      struct span *array)
{
	size_t len;

	text = trim(text);
	*array = (struct span){NULL, 0};
	if (text.len && text.at[text.len - 1] == ']') {
		const char *open = memrchr(text.at, '[', text.len);

		if (!open)
			return false;
		len = (size_t)(open - text.at);
		*array = (struct span){open + 1, text.len - len - 2};
		text.len = len;
	}
	for (len = text.len; len && is_word(text.at[len - 1]);)
		len--;
	*name = (struct span){text.at + len, text.len - len};
	*type = trim((struct span){text.at, len});
	return type->len && name->len;
}

static bool is_byte_type(struct span type)
{
	static const char *const names[] = {"char", "unsigned char", "signed char", "u8",  "__u8",
					    "s8",   "__s8",	     "uint8_t",	    "bool"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (equals(type, names[i]))
			return true;
	return false;
}

/*
 * How many values field->size bytes hold; it becomes the size of one. Some
 * kernels print the count as it is in the source: "sizeof(struct sockaddr_in6)",
 * "30+1" or nothing. Then it is known only if the values are bytes.
 */
static bool read_array(struct tracefs_field *field, struct span type, struct span array)
{
	__u32 bytes = field->size;

	field->is_array = true;
	if (!number(trim(array), TRACEFS_RECORD_MAX, &field->count)) {
		if (bytes && !is_byte_type(type))
			return false;
		field->count = bytes;
	}
	if (!bytes || !field->count) {
		field->size = 1;
		return !bytes && !field->count;
	}
	field->size = bytes / field->count;
	return bytes % field->count == 0;
}

/* Drops a word that the type begins with. */
static bool drop_word(struct span *type, const char *word)
{
	struct span rest = *type;

	if (!starts(&rest, word) || (rest.len && is_word(rest.at[0])))
		return false;
	*type = trim(rest);
	return true;
}

static bool read_kind(struct tracefs_field *field, struct span type)
{
	__u32 size = field->size;
	bool is_power = size == 1 || size == 2 || size == 4 || size == 8;

	if (memchr(type.at, '*', type.len)) {
		field->kind = TRACEFS_POINTER;
		return size == 4 || size == 8;
	}
	if (drop_word(&type, "enum")) {
		field->kind = TRACEFS_ENUM;
		return is_power && copy_name(field->tag, "", type);
	}
	field->kind = is_power ? TRACEFS_INT : TRACEFS_BYTES;
	field->is_bool = size == 1 && equals(type, "bool");
	return size > 0;
}

/*
 * A dynamic array is one u32 that tells where its bytes are, of another name
 * (include/trace/stages/stage1_struct_define.h: u32 __data_loc_##item;).
 */
static bool read_type(struct tracefs_field *field, struct span type, struct span name,
		      struct span array, bool has_array)
{
	const char *prefix = "";

	if (drop_word(&type, "__data_loc"))
		prefix = "__data_loc_";
	else if (drop_word(&type, "__rel_loc"))
		prefix = "__rel_loc_";
	if (!copy_name(field->name, prefix, name))
		return false;
	if (*prefix) {
		field->kind = TRACEFS_INT;
		field->is_signed = false;
		return field->size == 4 && type.len && !has_array;
	}
	return (!has_array || read_array(field, type, array)) && read_kind(field, type);
}

static bool read_number(struct span *rest, const char *key, __u32 max, __u32 *value)
{
	struct span part;

	if (!cut(rest, ';', &part))
		return false;
	part = trim(part);
	return starts(&part, key) && number(part, max, value);
}

/* Reads "field:int pid;	offset:24;	size:4;	signed:1;" without its first word. */
static bool read_field(struct tracefs_field *field, struct span rest)
{
	struct span declaration, type, name, array;
	__u32 is_signed;

	*field = (struct tracefs_field){0};
	if (!cut(&rest, ';', &declaration) ||
	    !read_number(&rest, "offset:", TRACEFS_RECORD_MAX, &field->offset) ||
	    !read_number(&rest, "size:", TRACEFS_RECORD_MAX - field->offset, &field->size) ||
	    !read_number(&rest, "signed:", 1, &is_signed) || trim(rest).len ||
	    !split_declaration(declaration, &type, &name, &array))
		return false;
	field->is_signed = is_signed;
	return read_type(field, type, name, array, array.at != NULL);
}

static bool has_field(const struct tracefs_format *format, const char *name)
{
	for (unsigned int i = 0; i < format->count; i++)
		if (strcmp(format->fields[i].name, name) == 0)
			return true;
	return false;
}

/* Fields come in the order of their offsets, as the kernel lays out the struct. */
static bool add_field(struct tracefs_format *format, struct span text)
{
	struct tracefs_field *field = &format->fields[format->count];

	if (format->count == TRACEFS_FIELDS_MAX || !read_field(field, text) ||
	    field->offset < format->size || has_field(format, field->name))
		return false;
	format->size = field->offset + field->size * (field->is_array ? field->count : 1);
	if (strncmp(field->name, "common_", strlen("common_")) != 0)
		format->count++;
	return true;
}

/*
 * name: NAME, ID: N, format:, the common fields, an empty line, the fields,
 * an empty line, print fmt: TEXT. The last tells that nothing is cut off.
 */
int tracefs_format_parse(struct tracefs_format *format, const char *text, size_t len)
{
	struct span rest = {text, len}, line;
	bool in_fields = false;

	format->count = 0;
	format->size = 0;
	while (next_line(&rest, &line)) {
		if (!in_fields)
			in_fields = equals(line, "format:");
		else if (starts(&line, "print fmt:"))
			return 0;
		else if (starts(&line, "field:") ? !add_field(format, line) : line.len)
			return -EINVAL;
	}
	return -EINVAL;
}
