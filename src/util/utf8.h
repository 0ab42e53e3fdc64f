/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UTF-8. Names of cgroups and files may be something else. Any thread. */
#ifndef BRAMBLE_UTF8_H
#define BRAMBLE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes of the character that text begins with, and its code point. 0 bytes if text
 * does not begin with a character: RFC 3629, section 4. The NUL at the end of a text is a character
 * of one byte.
 */
size_t utf8_decode(const char *text, uint32_t *code);

/* Only the length in bytes. Most characters are ASCII, for which there is no call. */
static inline size_t utf8_len(const char *text)
{
	uint32_t code;

	return (unsigned char)*text < 0x80 ? 1 : utf8_decode(text, &code);
}

/* How many of the first max bytes of text are whole characters, if it is UTF-8. */
size_t utf8_cut(const char *text, size_t max);

/* Whether a code point would command a terminal: C0, DEL and C1. */
static inline bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Replaces each byte that belongs to no character with a ?. */
void utf8_clean(char *text);

#endif
