/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/json_scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/ascii.h"

#define DEPTH_MAX 64

void json_scan_begin(struct json_scan *scan, char *text, size_t len)
{
	*scan = (struct json_scan){.at = text, .end = text + len};
}

static char fail(struct json_scan *scan)
{
	scan->failed = true;
	scan->at = scan->end;
	return '\0';
}

/* The next character that is no white space; NUL at the end. */
static char next_char(struct json_scan *scan)
{
	while (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\t' || *scan->at == '\r')
		scan->at++;
	return *scan->at;
}

/* Passes the character if it comes next. */
static bool pass(struct json_scan *scan, char c)
{
	if (next_char(scan) != c)
		return false;
	scan->at++;
	return true;
}

bool json_scan_at_end(struct json_scan *scan)
{
	return next_char(scan) == '\0' && scan->at == scan->end && !scan->failed;
}

enum json_kind json_scan_kind(struct json_scan *scan)
{
	char c = next_char(scan);

	switch (c) {
	case '{':
		return JSON_KIND_OBJECT;
	case '[':
		return JSON_KIND_ARRAY;
	case '"':
		return JSON_KIND_STRING;
	case 't':
	case 'f':
	case 'n':
		return JSON_KIND_WORD;
	default:
		return c == '-' || ascii_digit(c) ? JSON_KIND_NUMBER : JSON_KIND_NONE;
	}
}

bool json_scan_enter(struct json_scan *scan, enum json_kind kind)
{
	if (json_scan_kind(scan) != kind) {
		json_scan_skip(scan);
		return false;
	}
	scan->at++;
	return true;
}

/*
 * Whether another element follows in an object or array that ends with close. Passes the comma
 * before the element. Before the first one there is none: then the character in front is open.
 */
static bool another(struct json_scan *scan, char open, char close)
{
	bool first = scan->at[-1] == open;

	if (scan->failed)
		return false;
	if (pass(scan, close))
		return false;
	if (first || pass(scan, ','))
		return true;
	fail(scan);
	return false;
}

const char *json_scan_next_key(struct json_scan *scan)
{
	const char *key;

	if (!another(scan, '{', '}'))
		return NULL;
	if (json_scan_kind(scan) != JSON_KIND_STRING) {
		fail(scan);
		return NULL;
	}
	key = json_scan_string(scan);
	if (!pass(scan, ':'))
		fail(scan);
	return scan->failed ? NULL : key;
}

bool json_scan_next_item(struct json_scan *scan)
{
	return another(scan, '[', ']');
}

static int hex_digit(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of an escape; -1 if they are none. */
static int32_t hex4(const char *text)
{
	int32_t value = 0;
	int i, digit;

	for (i = 0; i < 4; i++) {
		digit = hex_digit(text[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* Writes a character in UTF-8, which is never longer than its escape. Returns the place behind it.
 */
static char *put_utf8(char *to, int32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* An escape of 4 hex digits, or a pair of them. *from points to the u, then behind the escape. */
static char *unescape_u(char *to, char **from)
{
	int32_t c = hex4(*from + 1), low;

	if (c < 0)
		return NULL;
	*from += 5;
	if (c >= 0xd800 && c < 0xdc00 && (*from)[0] == '\\' && (*from)[1] == 'u') {
		low = hex4(*from + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*from += 6;
		}
	}
	/* Half a pair is no character, and NUL would end the string. */
	if (c == 0 || (c >= 0xd800 && c < 0xe000))
		c = '?';
	return put_utf8(to, c);
}

static char *unescape(char *to, char **from)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (**from == 'u')
		return unescape_u(to, from);
	name = **from ? strchr(names, **from) : NULL;
	if (!name)
		return NULL;
	(*from)++;
	*to++ = values[name - names];
	return to;
}

const char *json_scan_string(struct json_scan *scan)
{
	char *start, *from, *to;

	if (json_scan_kind(scan) != JSON_KIND_STRING) {
		json_scan_skip(scan);
		return "";
	}
	start = from = to = scan->at + 1;
	while (*from != '"') {
		if (*from == '\0') { /* the text's end, or a NUL in it */
			fail(scan);
			return "";
		}
		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		from++;
		to = unescape(to, &from);
		if (!to) {
			fail(scan);
			return "";
		}
	}
	*to = '\0';
	scan->at = from + 1;
	return start;
}

/* Reads digits. Only the first 18 count; it tells how many others were dropped. */
static uint64_t digits(char **at, int *dropped, int *count)
{
	uint64_t value = 0;

	*dropped = *count = 0;
	for (; ascii_digit(**at); (*at)++) {
		if (*count < 18) {
			value = 10 * value + (uint64_t)(**at - '0');
			(*count)++;
		} else {
			(*dropped)++;
		}
	}
	return value;
}

static double power_of_10(int n)
{
	double power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

/* Reads a sign, digits and a fraction, which is what counts have. Exact to the last bit or two. */
double json_scan_number(struct json_scan *scan)
{
	int dropped, count;
	bool negative;
	double value;
	char *start;

	if (json_scan_kind(scan) != JSON_KIND_NUMBER) {
		json_scan_skip(scan);
		return 0;
	}
	start = scan->at;
	negative = *scan->at == '-';
	scan->at += negative;
	value = (double)digits(&scan->at, &dropped, &count) * power_of_10(dropped);
	if (!count) {
		fail(scan);
		return 0;
	}
	if (*scan->at == '.') {
		scan->at++;
		value += (double)digits(&scan->at, &dropped, &count) / power_of_10(count);
	}
	if (*scan->at == 'e' || *scan->at == 'E')
		return strtod(start, &scan->at);
	return negative ? -value : value;
}

/* Passes a string without changing it. */
static void skip_string(struct json_scan *scan)
{
	for (scan->at++; *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		if (*scan->at == '\0') {
			fail(scan);
			return;
		}
	}
	scan->at++;
}

static void skip_word(struct json_scan *scan)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strncmp(scan->at, words[i], strlen(words[i])) == 0) {
			scan->at += strlen(words[i]);
			return;
		}
	}
	fail(scan);
}

bool json_scan_true(struct json_scan *scan)
{
	bool is_true = next_char(scan) == 't';

	json_scan_skip(scan);
	return is_true && !scan->failed;
}

/* What is skipped is not checked closely: balanced brackets are enough. */
void json_scan_skip(struct json_scan *scan)
{
	int depth = 0;

	do {
		switch (json_scan_kind(scan)) {
		case JSON_KIND_OBJECT:
		case JSON_KIND_ARRAY:
			scan->at++;
			depth++;
			break;
		case JSON_KIND_STRING:
			skip_string(scan);
			break;
		case JSON_KIND_NUMBER:
			json_scan_number(scan);
			break;
		case JSON_KIND_WORD:
			skip_word(scan);
			break;
		default:
			if (depth && (*scan->at == '}' || *scan->at == ']'))
				depth--;
			else if (!depth || (*scan->at != ',' && *scan->at != ':'))
				fail(scan);
			if (!scan->failed)
				scan->at++;
		}
		if (depth > DEPTH_MAX)
			fail(scan);
	} while (depth && !scan->failed);
}
