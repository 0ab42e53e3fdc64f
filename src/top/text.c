/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/text.h"

#include <string.h>
#include <wchar.h>

#include "util/utf8.h"

struct text_char text_next(const char *text)
{
	uint32_t c;
	size_t len = utf8_decode(text, &c);
	int width;

	if (!len)
		return (struct text_char){.len = 1, .width = 1, .shown = false};
	if (utf8_is_control(c))
		return (struct text_char){.len = len, .width = 1, .shown = false};
	/* A locale without UTF-8 knows no widths. Most are 1. */
	width = wcwidth((wchar_t)c);
	return (struct text_char){.len = len, .width = width < 0 ? 1 : width, .shown = true};
}

int text_width(const char *text)
{
	int width = 0;

	while (*text) {
		struct text_char c = text_next(text);

		width += c.width;
		text += c.len;
	}
	return width;
}

size_t text_bytes(const char *text, int width)
{
	size_t bytes = 0;

	while (text[bytes]) {
		struct text_char c = text_next(text + bytes);

		width -= c.width;
		if (width < 0)
			break;
		bytes += c.len;
	}
	return bytes;
}

/* The longest end of text that takes at most width columns. all: the columns of text. */
static const char *tail_of(const char *text, int all, int width)
{
	while (*text && all > width) {
		struct text_char c = text_next(text);

		all -= c.width;
		text += c.len;
	}
	/* Marks that combine with a character that is gone. */
	while (*text && text_next(text).width == 0)
		text += text_next(text).len;
	return text;
}

static size_t copy(char *out, size_t size, const char *text, size_t len)
{
	if (len >= size)
		len = size ? size - 1 : 0;
	memcpy(out, text, len);
	return len;
}

int text_cut(char *out, size_t size, const char *text, int width)
{
	int all = text_width(text), head;
	const char *tail;
	size_t len;

	if (all <= width) {
		out[copy(out, size, text, strlen(text))] = '\0';
		return all;
	}
	if (width <= 0) {
		out[0] = '\0';
		return 0;
	}
	head = (width - 1) / 2;
	tail = tail_of(text, all, width - 1 - head);
	len = copy(out, size, text, text_bytes(text, head));
	len += copy(out + len, size - len, "~", 1);
	len += copy(out + len, size - len, tail, strlen(tail));
	out[len] = '\0';
	return text_width(out);
}
