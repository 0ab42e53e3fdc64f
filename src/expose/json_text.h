/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * JSON written piece by piece, without a tree of it in memory. The writer puts
 * the commas; the caller keeps keys and values in order.
 */
#ifndef BRAMBLE_JSON_TEXT_H
#define BRAMBLE_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

struct json_text {
	struct buf buf; /* the caller takes or frees it */
	bool more;	/* a value stands before: a comma is due */
};

void json_text_open(struct json_text *json, char bracket);  /* '{' or '[' */
void json_text_close(struct json_text *json, char bracket); /* '}' or ']' */

/* The key of the value that is written next: plain characters, which need no escapes. */
void json_text_key(struct json_text *json, const char *key);

/* What is no UTF-8 becomes a replacement character, as JSON knows nothing else. */
void json_text_string(struct json_text *json, const char *text);
void json_text_integer(struct json_text *json, int64_t number);
void json_text_unsigned(struct json_text *json, uint64_t number);
void json_text_bool(struct json_text *json, bool value);

/* A number of billionths, such as nanoseconds as seconds: always with a point, exact. */
void json_text_billionths(struct json_text *json, int64_t number);

#endif
