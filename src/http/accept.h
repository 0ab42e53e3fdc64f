/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The format and encoding that a client wants: Accept and Accept-Encoding, following RFC 9110,
 * sections 12.4.2, 12.5.1 and 12.5.3.
 *
 * A part of a header that is not well-formed is ignored. If no offered format is acceptable, the
 * whole header is ignored, as the RFC allows.
 */
#ifndef BRAMBLE_ACCEPT_H
#define BRAMBLE_ACCEPT_H

#include <stdbool.h>

/* The formats of /metrics. If two are wanted equally, the first of them is sent. */
enum format {
	FORMAT_TEXT,	    /* the Prometheus text format, 0.0.4 */
	FORMAT_TEXT_1,	    /* 1.0.0: the same text, as our names need no quotes */
	FORMAT_OPENMETRICS, /* OpenMetrics 1.0.0 */
	FORMAT_PROTOBUF,    /* io.prometheus.client.MetricFamily, delimited */
	FORMATS,
};

/*
 * How to escape names that Prometheus did not allow before 3.0. All of our names were allowed. So
 * the scheme changes only what the reply says about it. The first scheme is used if none is asked
 * for. Sources: "UTF-8 metric and label name escaping schemes" of Prometheus; and client_golang,
 * which leaves a name that was always allowed as it is, with every scheme.
 */
enum escaping {
	ESCAPING_UNDERSCORES,
	ESCAPING_ALLOW_UTF8,
	ESCAPING_DOTS,
	ESCAPING_VALUES,
	ESCAPINGS,
};

struct accepted {
	enum format format;
	enum escaping escaping;
};

/*
 * The format that is wanted most. Among several that are wanted equally, it is the one that is
 * named most exactly, and then the one that is named first. An escaping scheme makes no format more
 * exact. An unknown scheme counts as none. accept is NULL if there is no such header.
 */
struct accepted accept_format(const char *accept);

/* The Content-Type of a reply in this format. */
const char *accepted_content_type(struct accepted accepted);

/* Whether gzip is wanted at least as much as the plain reply; NULL: no such header. */
bool accept_gzip(const char *accept_encoding);

#endif
