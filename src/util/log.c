/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "bramble/growth.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/utf8.h"

/* The pause of messages that strangers can cause. */
#define DUE_NS (60 * NS_PER_S)

static enum log_level min_level = LOG_INFO;
static enum log_format format = LOG_LOGFMT;
static bool has_error;

void log_setup(enum log_level level, enum log_format log_format)
{
	min_level = level;
	format = log_format;
}

bool log_has_error(void)
{
	return has_error;
}

bool log_enabled(enum log_level level)
{
	return level >= min_level;
}

/*
 * The escapes of a quoted value are the same in logfmt and in JSON. Paths may have any bytes, and a
 * message may be cut within a character. Bytes that are not UTF-8 are replaced, or the line would
 * not be JSON.
 */
static void put_quoted(struct buf *line, const char *text)
{
	size_t len;

	buf_putc(line, '"');
	for (; *text; text += len ? len : 1) {
		unsigned char c = (unsigned char)*text;

		len = utf8_len(text);
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

/* stderr has no buffer, so this needs no memory. */
static void put_out_of_memory(enum log_level level)
{
	if (level >= LOG_WARN)
		fputs(format == LOG_JSON ? "{\"level\":\"error\",\"msg\":\"out of memory\"}\n"
					 : "level=error msg=\"out of memory\"\n",
		      stderr);
}

void log_at(enum log_level level, const char *message_format, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char message[1024], when[32];
	struct buf line = {0};
	struct timespec now;
	struct tm utc;
	va_list args;

	has_error |= level == LOG_ERROR;
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
	if (buf_failed(&line))
		put_out_of_memory(level);
	else
		fwrite(line.data, 1, line.len, stderr);
	buf_free(&line);
}

bool log_is_due(uint64_t *told_ns, uint64_t now_ns)
{
	if (*told_ns && grown(now_ns, *told_ns) < DUE_NS)
		return false;
	*told_ns = now_ns;
	return true;
}
