/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/tracefs_format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/ascii.h"
#include "util/slice.h"

#define SPACE " \t\r"

static bool is_word(char c)
{
	return ascii_alnum(c) || c == '_';
}

/* Cuts off a line. The last one may have no newline. False if nothing is left. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (!rest->len)
		return false;
	slice_cut(rest, '\n', line);
	*line = slice_trim(*line, SPACE);
	return true;
}

static bool number(struct slice slice, __u32 max, __u32 *value)
{
	uint64_t wide;

	if (!slice_number(slice, max, &wide))
		return false;
	*value = (__u32)wide;
	return true;
}

/* Copies prefix and an identifier. */
static bool copy_name(char name[TRACEFS_NAME_MAX], const char *prefix, struct slice word)
{
	if (!word.len || ascii_digit(word.at[0]))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (!is_word(word.at[i]))
			return false;
	return snprintf(name, TRACEFS_NAME_MAX, "%s%.*s", prefix, (int)word.len, word.at) <
	       TRACEFS_NAME_MAX;
}

/* Splits "char comm[16]" to "char", "comm" and "16". */
static bool split_declaration(struct slice text, struct slice *type, struct slice *name,
			      struct slice *array, bool *is_array)
{
	text = slice_trim(text, SPACE);
	*is_array = slice_drop_suffix(&text, "]");
	if (*is_array && !slice_cut_last(&text, '[', array))
		return false;
	*name = (struct slice){text.at + text.len, 0};
	for (; text.len && is_word(text.at[text.len - 1]); text.len--) {
		name->at--;
		name->len++;
	}
	*type = slice_trim(text, SPACE);
	return type->len && name->len;
}

static bool is_byte_type(struct slice type)
{
	static const char *const names[] = {"char", "unsigned char", "signed char", "u8",  "__u8",
					    "s8",   "__s8",	     "uint8_t",	    "bool"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (slice_is(type, names[i]))
			return true;
	return false;
}

/*
 * How many values field->size bytes hold. field->size becomes the size of one value. Some kernels
 * print the count as it is in the source: "sizeof(struct sockaddr_in6)", "30+1" or nothing. Then it
 * is known only if the values are bytes.
 */
static bool read_array(struct tracefs_field *field, struct slice type, struct slice array)
{
	__u32 bytes = field->size;

	if (!number(slice_trim(array, SPACE), TRACEFS_RECORD_MAX, &field->count)) {
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
static bool drop_word(struct slice *type, const char *word)
{
	struct slice rest = *type;

	if (!slice_drop_prefix(&rest, word) || (rest.len && is_word(rest.at[0])))
		return false;
	*type = slice_trim(rest, SPACE);
	return true;
}

static bool read_kind(struct tracefs_field *field, struct slice type)
{
	__u32 size = field->size;
	bool is_power = size == 1 || size == 2 || size == 4 || size == 8;

	if (slice_has(type, '*')) {
		field->kind = TRACEFS_POINTER;
		return size == 4 || size == 8;
	}
	if (drop_word(&type, "enum")) {
		field->kind = TRACEFS_ENUM;
		return is_power && copy_name(field->tag, "", type);
	}
	field->kind = is_power ? TRACEFS_INT : TRACEFS_BYTES;
	field->is_bool = size == 1 && slice_is(type, "bool");
	return size > 0;
}

/*
 * A dynamic array is one u32 that says where its bytes are. It has another name
 * (include/trace/stages/stage1_struct_define.h: u32 __data_loc_##item;).
 */
static bool read_type(struct tracefs_field *field, struct slice type, struct slice name,
		      struct slice array)
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
		return field->size == 4 && type.len && !field->is_array;
	}
	return (!field->is_array || read_array(field, type, array)) && read_kind(field, type);
}

static bool read_number(struct slice *rest, const char *key, __u32 max, __u32 *value)
{
	struct slice item;

	if (!slice_cut(rest, ';', &item))
		return false;
	item = slice_trim(item, SPACE);
	return slice_drop_prefix(&item, key) && number(item, max, value);
}

/* Reads "field:int pid;	offset:24;	size:4;	signed:1;" without its first word. */
static bool read_field(struct tracefs_field *field, struct slice rest)
{
	struct slice declaration, type, name, array = slice_of("");
	__u32 is_signed;

	*field = (struct tracefs_field){0};
	if (!slice_cut(&rest, ';', &declaration) ||
	    !read_number(&rest, "offset:", TRACEFS_RECORD_MAX, &field->offset) ||
	    !read_number(&rest, "size:", TRACEFS_RECORD_MAX - field->offset, &field->size) ||
	    !read_number(&rest, "signed:", 1, &is_signed) || slice_trim(rest, SPACE).len ||
	    !split_declaration(declaration, &type, &name, &array, &field->is_array))
		return false;
	field->is_signed = is_signed;
	return read_type(field, type, name, array);
}

static bool has_field(const struct tracefs_format *format, const char *name)
{
	for (unsigned int i = 0; i < format->count; i++)
		if (strcmp(format->fields[i].name, name) == 0)
			return true;
	return false;
}

/* Fields come in the order of their offsets, as the kernel lays out the struct. */
static bool add_field(struct tracefs_format *format, struct slice text)
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
 * an empty line, print fmt: TEXT. The last one shows that nothing is cut off.
 */
int tracefs_format_parse(struct tracefs_format *format, const char *text, size_t len)
{
	struct slice rest = {text, len}, line;
	bool in_fields = false;

	format->count = 0;
	format->size = 0;
	while (next_line(&rest, &line)) {
		if (!in_fields)
			in_fields = slice_is(line, "format:");
		else if (slice_drop_prefix(&line, "print fmt:"))
			return 0;
		else if (slice_drop_prefix(&line, "field:") ? !add_field(format, line) : line.len)
			return -EINVAL;
	}
	return -EINVAL;
}
