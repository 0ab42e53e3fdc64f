/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writes JSON piece by piece, without a tree in memory. The writer sets the commas. The caller
 * writes keys and values in the right order.
 */
#ifndef BRAMBLE_JSON_TEXT_H
#define BRAMBLE_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

struct json_text {
	struct buf buf; /* the caller takes or frees it */
	bool more;	/* a value came before: a comma is due */
};

void json_text_open(struct json_text *json, char bracket);  /* '{' or '[' */
void json_text_close(struct json_text *json, char bracket); /* '}' or ']' */

/* Writes the key of the next value. It must consist of characters that need no escapes. */
void json_text_key(struct json_text *json, const char *key);

/* Bytes that are not UTF-8 become a replacement character, because JSON allows only UTF-8. */
void json_text_string(struct json_text *json, const char *text);
void json_text_integer(struct json_text *json, int64_t number);
void json_text_unsigned(struct json_text *json, uint64_t number);
void json_text_bool(struct json_text *json, bool value);

/* A number in billionths, such as nanoseconds as seconds. Always exact, and with a point. */
void json_text_billionths(struct json_text *json, int64_t number);

#endif
