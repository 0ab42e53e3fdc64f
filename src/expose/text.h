/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The Prometheus text format, version 0.0.4: a writer of samples.
 */
#ifndef BRAMBLE_TEXT_H
#define BRAMBLE_TEXT_H

#include "metrics/samples.h"
#include "util/buf.h"

struct text {
	struct samples samples;
	struct buf *out;
	struct buf labels; /* of the sample being written */
};

/* Prepares a writer that appends to out. If memory runs out, buf_failed(out) tells. */
void text_begin(struct text *text, struct buf *out);

/* Frees what the writer holds. */
void text_end(struct text *text);

#endif
