/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/utf8.h"

#include <stdbool.h>

static bool in_range(unsigned char c, unsigned char from, unsigned char to)
{
	return c >= from && c <= to;
}

size_t utf8_len(const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	unsigned char from = 0x80, to = 0xbf; /* what the second byte may be */
	size_t i, len;

	if (text[0] < 0x80)
		return 1;
	if (!in_range(text[0], 0xc2, 0xf4))
		return 0;
	len = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	if (text[0] == 0xe0)
		from = 0xa0; /* below: too long a form */
	else if (text[0] == 0xed)
		to = 0x9f; /* above: surrogates */
	else if (text[0] == 0xf0)
		from = 0x90;
	else if (text[0] == 0xf4)
		to = 0x8f; /* above: beyond U+10FFFF */
	if (!in_range(text[1], from, to))
		return 0;
	for (i = 2; i < len; i++)
		if (!in_range(text[i], 0x80, 0xbf))
			return 0;
	return len;
}

void utf8_clean(char *text)
{
	size_t len;

	for (; *text; text += len ? len : 1) {
		len = utf8_len(text);
		if (!len)
			*text = '?';
	}
}
