/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/json_text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/utf8.h"

#define BILLION 1000000000

/* Writes the comma that is due before a value or a key. */
static void begin(struct json_text *json)
{
	if (json->more)
		buf_putc(&json->buf, ',');
	json->more = true;
}

void json_text_open(struct json_text *json, char bracket)
{
	begin(json);
	buf_putc(&json->buf, bracket);
	json->more = false;
}

void json_text_close(struct json_text *json, char bracket)
{
	buf_putc(&json->buf, bracket);
	json->more = true;
}

void json_text_key(struct json_text *json, const char *key)
{
	begin(json);
	buf_putc(&json->buf, '"');
	buf_puts(&json->buf, key);
	buf_add(&json->buf, "\":", 2);
	json->more = false;
}

void json_text_string(struct json_text *json, const char *text)
{
	const char *plain = text;

	begin(json);
	buf_putc(&json->buf, '"');
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t len = utf8_len(text);

		if (len && c != '"' && c != '\\' && c >= 0x20) {
			text += len;
			continue;
		}
		buf_add(&json->buf, plain, (size_t)(text - plain));
		if (!len)
			buf_puts(&json->buf, "\\ufffd");
		else if (c < 0x20)
			buf_printf(&json->buf, "\\u%04x", c);
		else
			buf_printf(&json->buf, "\\%c", c);
		plain = ++text;
	}
	buf_add(&json->buf, plain, (size_t)(text - plain));
	buf_putc(&json->buf, '"');
}

void json_text_unsigned(struct json_text *json, uint64_t number)
{
	begin(json);
	buf_uint(&json->buf, number);
}

/* Returns the number without its sign, after writing the sign. */
static uint64_t put_sign(struct json_text *json, int64_t number)
{
	if (number < 0)
		buf_putc(&json->buf, '-');
	return number < 0 ? -(uint64_t)number : (uint64_t)number;
}

void json_text_integer(struct json_text *json, int64_t number)
{
	begin(json);
	buf_uint(&json->buf, put_sign(json, number));
}

void json_text_bool(struct json_text *json, bool value)
{
	begin(json);
	buf_puts(&json->buf, value ? "true" : "false");
}

void json_text_billionths(struct json_text *json, int64_t number)
{
	char digits[10] = ".000000000";
	uint64_t positive, rest;
	size_t len;

	begin(json);
	positive = put_sign(json, number);
	buf_uint(&json->buf, positive / BILLION);
	rest = positive % BILLION;
	for (len = sizeof(digits) - 1; rest; len--, rest /= 10)
		digits[len] = (char)('0' + rest % 10);
	for (len = sizeof(digits); len > 2 && digits[len - 1] == '0';)
		len--;
	buf_add(&json->buf, digits, len);
}
