/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A slice of a text: where it begins and how long it is. Parsers read a text in place with it:
 * they copy nothing and write no NULs into it. The slice does not own its bytes; they must stay
 * as long as it is used. Any thread.
 */
#ifndef BRAMBLE_SLICE_H
#define BRAMBLE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For slice_take() and slice_only(). */
#define SLICE_DIGITS	"0123456789"
#define SLICE_LOWER_HEX "0123456789abcdef"

struct slice {
	const char *at; /* never NULL; no NUL need follow the bytes */
	size_t len;	/* bytes */
};

/* All of a text. */
struct slice slice_of(const char *text);

bool slice_is(struct slice slice, const char *text);
bool slice_is_nocase(struct slice slice, const char *text); /* in any case of ASCII letters */
bool slice_starts(struct slice slice, const char *prefix);
bool slice_ends(struct slice slice, const char *suffix);
bool slice_has(struct slice slice, char c);
/* Whether every byte of the slice is one of chars. An empty slice has no other. */
bool slice_only(struct slice slice, const char *chars);

/* These remove what the slice begins or ends with. They return whether it did so. */
bool slice_drop_prefix(struct slice *slice, const char *prefix);
bool slice_drop_suffix(struct slice *slice, const char *suffix);

/* The slice without the bytes at both ends that are among chars. */
struct slice slice_trim(struct slice slice, const char *chars);

/* Moves the bytes that *rest begins with and that are among chars to the result. */
struct slice slice_take(struct slice *rest, const char *chars);

/*
 * Splits *rest at the first separator: *head is what stands before it, *rest what follows. Without
 * a separator *head is all, *rest is empty, and the result is false.
 */
bool slice_cut(struct slice *rest, char separator, struct slice *head);

/*
 * Splits *rest at the last separator: *rest is what stands before it, *tail what follows. Without a
 * separator *rest stays as it is, *tail is empty, and the result is false.
 */
bool slice_cut_last(struct slice *rest, char separator, struct slice *tail);

/*
 * Moves the next word from *rest to *word. Any number of separators may stand before, between and
 * after the words. Returns false if there are no more words.
 */
bool slice_next_word(struct slice *rest, char separator, struct slice *word);

/* Reads a number from 0 to max. Returns false if the slice is anything but its decimal digits. */
bool slice_number(struct slice slice, uint64_t max, uint64_t *number);

/* Copies the slice and a NUL to out. Returns false, and out is "", if it has no room for them. */
bool slice_copy(struct slice slice, char *out, size_t size);

#endif
