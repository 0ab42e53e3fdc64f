/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Kinds of characters, the same in every locale, unlike those of ctype.h. Any thread. */
#ifndef BRAMBLE_ASCII_H
#define BRAMBLE_ASCII_H

#include <stdbool.h>

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool ascii_letter(char c)
{
	return ascii_lower(c) || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_alnum(char c)
{
	return ascii_digit(c) || ascii_letter(c);
}

/* A hexadecimal digit in lower case. */
static inline bool ascii_lower_hex(char c)
{
	return ascii_digit(c) || (c >= 'a' && c <= 'f');
}

#endif
