/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A writer of samples in the Prometheus text format 0.0.4, and in OpenMetrics 1.0.
 */
#ifndef BRAMBLE_TEXT_H
#define BRAMBLE_TEXT_H

#include "metrics/samples.h"
#include "util/buf.h"

enum text_format {
	TEXT_PROMETHEUS,
	TEXT_OPENMETRICS,
};

struct text {
	struct samples samples;
	struct buf *out;
	enum text_format format;
	bool created;	   /* OpenMetrics: write _created, too */
	size_t base_len;   /* of the family's name in OpenMetrics: without _total or _info */
	struct buf labels; /* of the sample being written */
};

/* Prepares a writer that appends to out. If memory runs out, buf_failed(out) is true. */
void text_begin(struct text *text, struct buf *out, enum text_format format);

/* Writes the end, if the format has one, and frees what the writer holds. */
void text_end(struct text *text);

#endif
