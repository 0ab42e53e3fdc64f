/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a client wants to be answered in: Accept and Accept-Encoding, after RFC 9110,
 * sections 12.4.2, 12.5.1 and 12.5.3.
 *
 * A part of a header that is not well-formed counts as not written. If nothing that
 * is offered is acceptable, the header is disregarded, as the RFC allows.
 */
#ifndef BRAMBLE_ACCEPT_H
#define BRAMBLE_ACCEPT_H

#include <stdbool.h>

/* The formats of /metrics. Which one of two is sent if both are wanted equally: the first. */
enum format {
	FORMAT_TEXT,		  /* the Prometheus text format, 0.0.4 */
	FORMAT_TEXT_1,		  /* 1.0.0: the same text, as our names need no quotes */
	FORMAT_OPENMETRICS,	  /* OpenMetrics 1.0.0 */
	FORMAT_OPENMETRICS_DRAFT, /* its draft, 0.0.1: the same text, named otherwise */
	FORMAT_PROTOBUF,	  /* io.prometheus.client.MetricFamily, delimited */
	FORMATS,
};

/*
 * What names are escaped to that Prometheus did not allow before 3.0. All of ours were allowed, so
 * that the scheme changes nothing but what the reply says. The first is what counts if none is
 * asked for. Source: "UTF-8 metric and label name escaping schemes" of Prometheus; what
 * client_golang does: a name that was always allowed stays as it is, with every scheme.
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
 * The format that is wanted most. Of several that are wanted equally it is the one that
 * is named most exactly, then the one that is named first. An escaping scheme makes no format
 * more exact; one that is not known counts as none. accept is NULL if there is no such header.
 */
struct accepted accept_format(const char *accept);

/* What the Content-Type of a reply in the format is. */
const char *accepted_content_type(struct accepted accepted);

/* Whether gzip is wanted at least as much as the plain reply; NULL: no such header. */
bool accept_gzip(const char *accept_encoding);

#endif
