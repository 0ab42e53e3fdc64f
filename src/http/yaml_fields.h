/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The keys and values of a web configuration in YAML. A table of fields says which keys a mapping
 * may have, and which function reads each value into struct web_config. A key that is not in the
 * table, or that comes twice, is an error that names the line.
 */
#ifndef BRAMBLE_YAML_FIELDS_H
#define BRAMBLE_YAML_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include "http/web_config.h"

/* A file being read. */
struct reader {
	const char *path;
	yaml_document_t document;
	struct web_config *config;
	char *error;
	size_t error_size;
};

/* A word that a field may have, and its value. An array of these ends with an empty name. */
struct choice {
	const char *name;
	int value;
};

/* One key of a mapping, and what reads its value. */
struct field {
	const char *name;
	/* Returns 0, -ENOMEM, or -EINVAL after wrong(). */
	int (*read)(struct reader *reader, const struct field *field, const yaml_node_t *node);
	size_t offset; /* in struct web_config */
	const struct choice *choices;
};

#define FIELD(key, reads, member)                                                                  \
	{                                                                                          \
		.name = (key), .read = (reads), .offset = offsetof(struct web_config, member)      \
	}
#define CHOICE(key, member, words)                                                                 \
	{                                                                                          \
		.name = (key), .read = read_choice, .offset = offsetof(struct web_config, member), \
		.choices = (words)                                                                 \
	}

/* Writes one line that begins with the path, and with the line number if there is a node. Returns
 * -EINVAL. */
__attribute__((format(printf, 3, 4))) int wrong(const struct reader *reader,
						const yaml_node_t *node, const char *format, ...);

/* Whether there is no value. Then the key counts as missing. */
bool is_null(const yaml_node_t *node);

/* The text of a scalar. */
const char *text_of(const yaml_node_t *node);

/* Whether it is a scalar without a NUL in it. Returns 0 or -EINVAL. */
int check_scalar(struct reader *reader, const char *name, const yaml_node_t *node);

/* Where the value of a field goes. */
void *target_of(struct reader *reader, const struct field *field);

/* Readers of values. Without a value, and with an empty text, the default stays. */
int read_text(struct reader *reader, const struct field *field, const yaml_node_t *node);
int read_path(struct reader *reader, const struct field *field, const yaml_node_t *node);
int read_bool(struct reader *reader, const struct field *field, const yaml_node_t *node);
int read_choice(struct reader *reader, const struct field *field, const yaml_node_t *node);
int read_list(struct reader *reader, const struct field *field, const yaml_node_t *node);

/* A duration as Go writes it, into an uint64_t in ns. A negative one becomes zero. */
int read_interval(struct reader *reader, const struct field *field, const yaml_node_t *node);

/* To an uint64_t. */
int read_count(struct reader *reader, const struct field *field, const yaml_node_t *node);

/* Reads the keys of a mapping. Errors call it name. No value counts as an empty mapping. */
int read_fields(struct reader *reader, const char *name, const yaml_node_t *node,
		const struct field *fields, size_t count);

/* Reads tls_server_config; and, once all is read, checks what does not go together. */
int read_tls(struct reader *reader, const struct field *field, const yaml_node_t *node);
int check_tls(const struct reader *reader);

#endif
