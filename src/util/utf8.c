/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/utf8.h"

#include <string.h>

static int is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_decode(const char *string, uint32_t *code)
{
	/* A smaller code point fits into fewer bytes, so this form is too long. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *text = (const unsigned char *)string;
	size_t i, len;

	*code = text[0];
	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	len = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	*code &= 0x7f >> len;
	for (i = 1; i < len; i++) {
		if (!is_continuation(text[i]))
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	/* 0xd800 and what follows are surrogates, which are not characters. */
	return *code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0
											     : len;
}

size_t utf8_cut(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	for (len = max; len && is_continuation((unsigned char)text[len]); len--)
		;
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
