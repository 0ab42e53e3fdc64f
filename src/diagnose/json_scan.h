/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads JSON from front to back, in the buffer that holds it. It builds no tree: a reading of 250
 * containers has some 100,000 numbers, and building a tree of them takes ten times as long.
 *
 * `top` reads JSON and not the protobuf that `serve` also writes, because that costs less. A
 * reading has one entry for each owner, and only what `top` shows. The exposition has all families,
 * and repeats an owner's labels in each of them. Making the entries of 250 containers from JSON
 * took 1.9 ms. Unpacking the same counts from protobuf took 6.9 ms, and the entries would still
 * have to be made from them (docs/benchmarks.md).
 *
 * Strings are unescaped in place. So the buffer changes, and the strings live as long as the
 * buffer. An error sets failed; after that every call returns that there is nothing more.
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
