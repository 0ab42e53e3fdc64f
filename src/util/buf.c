/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes the buffer larger, for len bytes and the NUL. */
static bool enlarge(struct buf *buf, size_t len)
{
	size_t size = buf->size ? buf->size : 256;
	char *data;

	if (buf->failed || len > SIZE_MAX / 4 - buf->len) {
		buf->failed = true;
		return false;
	}
	while (size < buf->len + len + 1)
		size *= 2;
	if (size == buf->size)
		return true;
	data = realloc(buf->data, size);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

/* Most of the time there is room. */
static inline bool reserve(struct buf *buf, size_t len)
{
	if (buf->data && !buf->failed && len < buf->size - buf->len)
		return true;
	return enlarge(buf, len);
}

void buf_reserve(struct buf *buf, size_t len)
{
	char *data;

	if (buf->failed || len <= buf->size || len > SIZE_MAX / 4)
		return;
	data = realloc(buf->data, len);
	if (!data)
		return;
	if (!buf->data)
		data[0] = '\0';
	buf->data = data;
	buf->size = len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void *buf_extend(struct buf *buf, size_t len)
{
	char *at;

	if (!reserve(buf, len))
		return NULL;
	at = buf->data + buf->len;
	buf->len += len;
	buf->data[buf->len] = '\0';
	return at;
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_uint(struct buf *buf, uint64_t number)
{
	char digits[20]; /* of 2^64 - 1 */
	char *first = digits + sizeof(digits);

	do {
		*--first = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buf_add(buf, first, (size_t)(digits + sizeof(digits) - first));
}

/* Formats into the available room. Returns the length that is needed, or -1. */
static int format_at_end(struct buf *buf, const char *format, va_list args)
{
	va_list copy;
	int len;

	va_copy(copy, args);
	len = vsnprintf(buf->data + buf->len, buf->size - buf->len, format, copy);
	va_end(copy);
	return len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	if (!reserve(buf, 64)) /* most of what is formatted fits at once */
		return;
	va_start(args, format);
	len = format_at_end(buf, format, args);
	if (len >= 0 && (size_t)len >= buf->size - buf->len && reserve(buf, (size_t)len))
		len = format_at_end(buf, format, args);
	va_end(args);
	if (len < 0)
		buf->failed = true;
	if (buf->failed)
		buf->data[buf->len] = '\0';
	else
		buf->len += (size_t)len;
}

void buf_wrap(struct buf *buf, const char *text, int indent, int width)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + 1 + len > width) {
			buf_printf(buf, "\n%*s", indent, "");
			column = indent;
		}
		buf_printf(buf, "%s%.*s", column > indent ? " " : "", len, text);
		column += len + (column > indent);
		text += len;
		text += strspn(text, " ");
	}
	buf_putc(buf, '\n');
}

void buf_truncate(struct buf *buf, size_t len)
{
	if (!buf->data)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

bool buf_failed(const struct buf *buf)
{
	return buf->failed;
}

char *buf_take(struct buf *buf)
{
	char *data;

	if (!buf->data)
		buf_add(buf, "", 0);
	if (buf->failed)
		buf_free(buf);
	data = buf->data;
	*buf = (struct buf){0};
	return data;
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

int buf_read_fd(struct buf *buf, int fd, size_t max)
{
	int err = 0;
	ssize_t got;

	*buf = (struct buf){0};
	while (!err) {
		if (!reserve(buf, 4096)) {
			err = -ENOMEM;
			break;
		}
		got = read(fd, buf->data + buf->len, buf->size - buf->len - 1);
		if (got == 0)
			break;
		if (got < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		buf->len += (size_t)got;
		if (buf->len > max)
			err = -EFBIG;
	}
	if (err)
		buf_free(buf);
	else
		buf->data[buf->len] = '\0';
	return err;
}

int buf_read_file(struct buf *buf, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*buf = (struct buf){0};
	if (fd < 0)
		return -errno;
	err = buf_read_fd(buf, fd, max);
	close(fd);
	return err;
}
