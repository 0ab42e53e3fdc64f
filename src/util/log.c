/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "util/buf.h"

static enum log_level min_level = LOG_INFO;
static enum log_format format = LOG_LOGFMT;

void log_setup(enum log_level level, enum log_format log_format)
{
	min_level = level;
	format = log_format;
}

bool log_enabled(enum log_level level)
{
	return level >= min_level;
}

static bool in_range(unsigned char c, unsigned char from, unsigned char to)
{
	return c >= from && c <= to;
}

/* The bytes of the character of UTF-8 at text, 0 if it is none: RFC 3629, section 4. */
static size_t utf8_len(const unsigned char *text)
{
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

/*
 * The escapes of a quoted value are the same in logfmt and in JSON. Paths may
 * have any bytes, and a message may be cut within a character: what is no UTF-8
 * is replaced, or the line would be no JSON.
 */
static void put_quoted(struct buf *line, const char *text)
{
	size_t len;

	buf_putc(line, '"');
	for (; *text; text += len ? len : 1) {
		unsigned char c = (unsigned char)*text;

		len = utf8_len((const unsigned char *)text);
		if (c == '"' || c == '\\')
			buf_printf(line, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(line, "\\u%04x", c);
		else if (!len)
			buf_puts(line, "\\ufffd");
		else
			buf_add(line, text, len);
	}
	buf_putc(line, '"');
}

void log_at(enum log_level level, const char *message_format, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char message[1024], when[32];
	struct buf line = {0};
	struct timespec now;
	struct tm utc;
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, message_format);
	vsnprintf(message, sizeof(message), message_format, args);
	va_end(args);

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);

	if (format == LOG_JSON)
		buf_printf(&line, "{\"ts\":\"%s.%03ldZ\",\"level\":\"%s\",\"msg\":", when,
			   now.tv_nsec / 1000000, names[level]);
	else
		buf_printf(&line, "ts=%s.%03ldZ level=%s msg=", when, now.tv_nsec / 1000000,
			   names[level]);
	put_quoted(&line, message);
	buf_puts(&line, format == LOG_JSON ? "}\n" : "\n");
	if (!buf_failed(&line))
		fwrite(line.data, 1, line.len, stderr);
	buf_free(&line);
}
