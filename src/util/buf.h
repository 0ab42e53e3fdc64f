/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A growing buffer of bytes, always followed by a NUL. Once memory has run out it stays as it was,
 * further writes do nothing, and buf_failed() is true.
 */
#ifndef BRAMBLE_BUF_H
#define BRAMBLE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* NULL while empty; owned by the buffer, or by who takes it with buf_take() */
	size_t len; /* without the NUL */
	size_t size;
	bool failed;
};

/* Makes room for len bytes at once. Without memory nothing happens. */
void buf_reserve(struct buf *buf, size_t len);

void buf_add(struct buf *buf, const void *data, size_t len);
/* Adds len bytes for the caller to write at once. NULL if memory ran out. */
void *buf_extend(struct buf *buf, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_uint(struct buf *buf, uint64_t number); /* in decimal digits */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);

/*
 * Adds the words of text and a newline. The text so far has reached the column indent. The words
 * begin there, and lines are broken before the column width. A longer word is not broken: it may be
 * a path.
 */
void buf_wrap(struct buf *buf, const char *text, int indent, int width);

/* Cuts the buffer to its first len bytes; len is at most what it has. */
void buf_truncate(struct buf *buf, size_t len);

/* Whether memory ran out at any write. */
bool buf_failed(const struct buf *buf);

/* Hands the bytes over: the caller frees them. NULL if memory ran out. The buffer is empty then. */
char *buf_take(struct buf *buf);

/* Frees the bytes. The buffer is empty then and can be used again. */
void buf_free(struct buf *buf);

/*
 * Reads to the end of a file. At most max bytes are read; a longer file is EFBIG. Returns 0 or a
 * negative errno; on an error buf is empty.
 */
int buf_read_fd(struct buf *buf, int fd, size_t max);

/* The same for the file at a path. For what an operator names there is given_file_read(). */
int buf_read_file(struct buf *buf, const char *path, size_t max);

#endif
