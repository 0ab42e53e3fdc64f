/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UTF-8, which names of cgroups and files need not be. Any thread. */
#ifndef BRAMBLE_UTF8_H
#define BRAMBLE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the character that text begins with, and its code point; 0 bytes if it begins with
 * none: RFC 3629, section 4. The NUL at the end of a text is a character of one byte.
 */
size_t utf8_decode(const char *text, uint32_t *code);

/* Its bytes alone. Most are ASCII, which takes no call. */
static inline size_t utf8_len(const char *text)
{
	uint32_t code;

	return (unsigned char)*text < 0x80 ? 1 : utf8_decode(text, &code);
}

/* How many of the first max bytes of text are whole characters, if it is UTF-8. */
size_t utf8_cut(const char *text, size_t max);

/* Puts a ? in the place of each byte that belongs to no character. */
void utf8_clean(char *text);

#endif
