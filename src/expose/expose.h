/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One scrape in the format that was asked for. */
#ifndef BRAMBLE_EXPOSE_H
#define BRAMBLE_EXPOSE_H

#include <stdbool.h>

#include "expose/protobuf.h"
#include "http/accept.h"
#include "metrics/samples.h"
#include "util/buf.h"

struct expose_options {
	struct accepted accepted; /* the scheme in it makes no difference here */
	enum hist_forms forms;	  /* only for protobuf: the text formats have classic histograms */
	bool created;		  /* OpenMetrics: write _created */
	bool gzip;
};

/*
 * Appends all families to out. With gzip, the plain text is never in memory as a whole. If memory
 * runs out, buf_failed(out) is true.
 */
void expose_write(struct buf *out, const struct expose_options *options,
		  const struct scrape *scrape);

#endif
