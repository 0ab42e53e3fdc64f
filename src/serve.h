/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_SERVE_H
#define BRAMBLE_SERVE_H

#include "cli/flags.h"
#include "metrics/collector.h"
#include "metrics/filter.h"

struct serve_options {
	struct collector_options collector;
	struct flag_list listen; /* HOST:PORT */
	const char *telemetry_path;
	const char *web_config; /* a file, or NULL */
	struct family_filter filter;
	bool created_samples;	 /* _created in OpenMetrics */
	bool classic_histograms; /* in protobuf, beside native ones */
	const char *socket;	 /* for top; "" for none */
};

/*
 * Runs the probe and the exporter until a signal ends it (util/signals.h). SIGHUP reads the web
 * configuration again. Returns 0, or a negative errno after the reason has been logged.
 */
int serve(const struct serve_options *options);

#endif
