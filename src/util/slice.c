/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/slice.h"

#include <string.h>

#include "util/ascii.h"

struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

bool slice_is(struct slice slice, const char *text)
{
	return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

static char lower(char c)
{
	return ascii_letter(c) ? (char)(c | 0x20) : c;
}

bool slice_is_nocase(struct slice slice, const char *text)
{
	if (slice.len != strlen(text))
		return false;
	for (size_t i = 0; i < slice.len; i++)
		if (lower(slice.at[i]) != lower(text[i]))
			return false;
	return true;
}

bool slice_starts(struct slice slice, const char *prefix)
{
	size_t len = strlen(prefix);

	return slice.len >= len && memcmp(slice.at, prefix, len) == 0;
}

bool slice_ends(struct slice slice, const char *suffix)
{
	size_t len = strlen(suffix);

	return slice.len >= len && memcmp(slice.at + slice.len - len, suffix, len) == 0;
}

bool slice_has(struct slice slice, char c)
{
	return memchr(slice.at, c, slice.len);
}

static bool is_one_of(char c, const char *chars)
{
	return c && strchr(chars, c);
}

bool slice_only(struct slice slice, const char *chars)
{
	slice_take(&slice, chars);
	return !slice.len;
}

static void drop(struct slice *slice, size_t len)
{
	slice->at += len;
	slice->len -= len;
}

bool slice_drop_prefix(struct slice *slice, const char *prefix)
{
	if (!slice_starts(*slice, prefix))
		return false;
	drop(slice, strlen(prefix));
	return true;
}

bool slice_drop_suffix(struct slice *slice, const char *suffix)
{
	if (!slice_ends(*slice, suffix))
		return false;
	slice->len -= strlen(suffix);
	return true;
}

struct slice slice_trim(struct slice slice, const char *chars)
{
	slice_take(&slice, chars);
	while (slice.len && is_one_of(slice.at[slice.len - 1], chars))
		slice.len--;
	return slice;
}

struct slice slice_take(struct slice *rest, const char *chars)
{
	struct slice taken = {rest->at, 0};

	while (taken.len < rest->len && is_one_of(rest->at[taken.len], chars))
		taken.len++;
	drop(rest, taken.len);
	return taken;
}

bool slice_cut(struct slice *rest, char separator, struct slice *head)
{
	const char *at = memchr(rest->at, separator, rest->len);

	head->at = rest->at;
	head->len = at ? (size_t)(at - rest->at) : rest->len;
	drop(rest, head->len + (at != NULL));
	return at != NULL;
}

bool slice_cut_last(struct slice *rest, char separator, struct slice *tail)
{
	const char *at = memrchr(rest->at, separator, rest->len);

	tail->at = at ? at + 1 : rest->at + rest->len;
	tail->len = (size_t)(rest->at + rest->len - tail->at);
	rest->len -= tail->len + (at != NULL);
	return at != NULL;
}

bool slice_next_word(struct slice *rest, char separator, struct slice *word)
{
	do {
		if (!rest->len)
			return false;
		slice_cut(rest, separator, word);
	} while (!word->len);
	return true;
}

bool slice_number(struct slice slice, uint64_t max, uint64_t *number)
{
	uint64_t sum = 0;

	if (!slice.len)
		return false;
	for (size_t i = 0; i < slice.len; i++) {
		if (!ascii_digit(slice.at[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(slice.at[i] - '0'), &sum) || sum > max)
			return false;
	}
	*number = sum;
	return true;
}

bool slice_copy(struct slice slice, char *out, size_t size)
{
	if (slice.len >= size) {
		out[0] = '\0';
		return false;
	}
	memcpy(out, slice.at, slice.len);
	out[slice.len] = '\0';
	return true;
}
