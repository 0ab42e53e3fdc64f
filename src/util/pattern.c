/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long an expression is so far when its repeats are written out. */
struct length {
	size_t total;
	size_t repeats;			     /* of it: what repeats have added */
	size_t last;			     /* of it: what a repeat that follows would repeat */
	size_t begin[PATTERN_DEPTH_MAX + 1]; /* the total before each open parenthesis */
	size_t depth;
};

static void add(struct length *length, size_t bytes)
{
	length->last = bytes;
	length->total += bytes;
}

/*
 * The length of a bracket expression. A bracket first is one of its characters, and so are those
 * in [:alpha:], [.x.] and [=x=].
 */
static size_t bracket_length(const char *text)
{
	const char *at = text + 1, *end;

	at += *at == '^';
	at += *at == ']';
	for (; *at && *at != ']'; at++) {
		const char closing[] = {at[1], ']', '\0'};

		if (*at != '[' || !at[1] || !strchr(":.=", at[1]))
			continue;
		end = strstr(at + 2, closing);
		if (end)
			at = end + 1;
	}
	return (size_t)(at - text) + (*at == ']');
}

/* Reads {n}, {n,}, {,m} or {n,m}: how many bytes it takes; 0 if it is none. */
static size_t read_repeat(const char *text, unsigned long *most)
{
	char *end = (char *)text + 1;
	unsigned long least = 0;

	if (isdigit((unsigned char)*end))
		least = strtoul(end, &end, 10);
	*most = least;
	if (*end == ',') {
		end++;
		*most = least + 1;
		if (isdigit((unsigned char)*end))
			*most = strtoul(end, &end, 10);
	}
	return *end == '}' ? (size_t)(end - text) + 1 : 0;
}

/* Adds what is at text to the length. Returns how many bytes that is; 0: parentheses too deep. */
static size_t measure(struct length *length, const char *text)
{
	unsigned long copies;
	size_t used = 1;

	if (*text == '(') {
		if (length->depth == PATTERN_DEPTH_MAX)
			return 0;
		length->begin[++length->depth] = length->total;
		add(length, 1);
	} else if (*text == ')' && length->depth) {
		add(length, 1);
		length->last = length->total - length->begin[length->depth--];
	} else if (*text && strchr("*+?", *text)) {
		length->last++;
		length->total++;
	} else if (*text == '{' && (used = read_repeat(text, &copies)) > 0) {
		copies = copies > PATTERN_REPEATS_MAX + 1 ? PATTERN_REPEATS_MAX + 2 : copies;
		if (copies > 1) {
			length->repeats += (copies - 1) * length->last;
			length->total += (copies - 1) * length->last;
			length->last *= copies;
		}
	} else {
		used = *text == '[' ? bracket_length(text) : *text == '\\' && text[1] ? 2 : 1;
		add(length, used);
	}
	return used;
}

/* What is wrong with an expression that the C library would take; NULL: nothing. */
static const char *find_excess(const char *expression)
{
	struct length length = {0};
	size_t used, i, size = strlen(expression);

	if (size > PATTERN_MAX)
		return "it is longer than 4096 bytes; write .* for what names share";
	for (i = 0; i < size; i += used) {
		if (expression[i] == '\\' && isdigit((unsigned char)expression[i + 1]))
			return "extended regular expressions have no \\1; write out what it stands "
			       "for";
		used = measure(&length, expression + i);
		if (!used)
			return "more than 50 parentheses are nested; write fewer";
		if (length.repeats > PATTERN_REPEATS_MAX)
			return "its repeats add more than 1000 characters when they are written "
			       "out; write smaller numbers in the braces, or * or +";
	}
	return NULL;
}

int pattern_compile(regex_t *regex, const char *expression, char *reason, size_t reason_size)
{
	const char *excess = find_excess(expression);
	char message[128];
	int err;

	if (excess) {
		snprintf(reason, reason_size, "not a regular expression that can be used: %s",
			 excess);
		return -EINVAL;
	}
	err = regcomp(regex, expression, REG_EXTENDED | REG_NOSUB);
	if (!err)
		return 0;
	if (err == REG_ESPACE)
		return -ENOMEM;
	regerror(err, NULL, message, sizeof(message));
	snprintf(reason, reason_size, "not a regular expression: %s", message);
	return -EINVAL;
}
