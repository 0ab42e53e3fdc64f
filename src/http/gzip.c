/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/gzip.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

/*
 * The text of the metrics repeats itself a lot, and within short distances. So higher levels and a
 * larger window make it hardly shorter. This takes 64 KiB. docs/benchmarks.md has the figures.
 */
#define LEVEL	     1
#define WINDOW_BITS  13
#define GZIP_WRAPPER 16 /* added to WINDOW_BITS: zlib then writes gzip's header and trailer */
#define MEM_LEVEL    6

struct gzip {
	z_stream stream;
	struct buf *out;
};

struct gzip *gzip_begin(struct buf *out)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return NULL;
	gzip->out = out;
	if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP_WRAPPER, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gzip);
		return NULL;
	}
	return gzip;
}

static void compress_all(struct gzip *gzip, int flush)
{
	unsigned char piece[4096];
	int result;

	do {
		gzip->stream.next_out = piece;
		gzip->stream.avail_out = sizeof(piece);
		result = deflate(&gzip->stream, flush);
		buf_add(gzip->out, piece, sizeof(piece) - gzip->stream.avail_out);
	} while (result == Z_OK && !gzip->stream.avail_out);
}

void gzip_add(struct gzip *gzip, const void *data, size_t len)
{
	gzip->stream.next_in = data;
	gzip->stream.avail_in = (uInt)len;
	compress_all(gzip, Z_NO_FLUSH);
}

void gzip_end(struct gzip *gzip)
{
	gzip->stream.next_in = NULL;
	gzip->stream.avail_in = 0;
	compress_all(gzip, Z_FINISH);
	deflateEnd(&gzip->stream);
	free(gzip);
}
