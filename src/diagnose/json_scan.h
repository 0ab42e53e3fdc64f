/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads JSON from front to back in the buffer it lies in, without making a tree
 * of it: a reading of 250 containers has some 100,000 numbers, and a tree of these
 * takes ten times as long (docs/benchmarks.md).
 *
 * Strings are unescaped where they lie, so the buffer is changed, and they live
 * as long as it does. What is wrong sets failed; then every call says that there
 * is nothing more.
 */
#ifndef BRAMBLE_JSON_SCAN_H
#define BRAMBLE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
	char *at;
	char *end; /* of the text, where a NUL stands */
	bool failed;
};

enum json_kind {
	JSON_KIND_NONE, /* no value begins here */
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_WORD, /* true, false, null */
};

/* Begins to read a text of len bytes with a NUL behind. */
void json_scan_begin(struct json_scan *scan, char *text, size_t len);

/* Whether nothing but white space is left. */
bool json_scan_at_end(struct json_scan *scan);

/* What comes next. */
enum json_kind json_scan_kind(struct json_scan *scan);

/*
 * Objects: enter, then next_key until it gives NULL; after each key its value is to
 * be read or skipped. Arrays: enter, then next_item until it says false.
 */
bool json_scan_enter(struct json_scan *scan, enum json_kind kind);
const char *json_scan_next_key(struct json_scan *scan);
bool json_scan_next_item(struct json_scan *scan);

/* "" if it is no string. */
const char *json_scan_string(struct json_scan *scan);
/* 0 if it is no number. */
double json_scan_number(struct json_scan *scan);
/* Whether the word true comes next; another value is skipped. */
bool json_scan_true(struct json_scan *scan);
void json_scan_skip(struct json_scan *scan);

#endif
