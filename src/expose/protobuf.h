/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A writer of samples in the Prometheus protobuf format. Each family is one
 * io.prometheus.client.MetricFamily after its length. metrics.proto has the messages.
 */
#ifndef BRAMBLE_PROTOBUF_H
#define BRAMBLE_PROTOBUF_H

#include "metrics/samples.h"
#include "util/buf.h"

/* Which forms a histogram is written in. A sample may have both. */
enum hist_forms {
	HIST_NATIVE = 1,
	HIST_CLASSIC = 2,
	HIST_BOTH = HIST_NATIVE | HIST_CLASSIC,
};

struct protobuf {
	struct samples samples;
	struct buf *out;
	enum hist_forms forms;
	struct buf family; /* the message being written; its length comes before it */
};

/* Prepares a writer that appends to out. If memory runs out, buf_failed(out) is true. */
void protobuf_begin(struct protobuf *protobuf, struct buf *out, enum hist_forms forms);

/* Frees what the writer holds. */
void protobuf_end(struct protobuf *protobuf);

#endif
