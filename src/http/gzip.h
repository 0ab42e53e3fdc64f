/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A gzip stream. Text is added piece by piece and comes out compressed. So the plain text is never
 * in memory as a whole.
 */
#ifndef BRAMBLE_GZIP_H
#define BRAMBLE_GZIP_H

#include "util/buf.h"

struct gzip;

/* Begins a stream that is appended to out, which must outlive it. NULL if memory ran out. */
struct gzip *gzip_begin(struct buf *out);

/* Compresses these bytes. If memory runs out, buf_failed(out) is true. */
void gzip_add(struct gzip *gzip, const void *data, size_t len);

/* Writes the end of the stream and frees it. */
void gzip_end(struct gzip *gzip);

#endif
