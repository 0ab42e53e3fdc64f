/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Accept and Accept-Encoding: what scrapers send, and what RFC 9110 says of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/accept.h"
#include "util/array.h"

struct row {
	const char *accept;
	enum format format;
};

static void check_rows(const struct row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (accept_format(rows[i].accept).format != rows[i].format)
			fail_msg("%s: %s", rows[i].accept ? rows[i].accept : "(none)",
				 accepted_content_type(accept_format(rows[i].accept)));
}
#define CHECK(rows) check_rows(rows, ARRAY_SIZE(rows))

#define PROTO                                                                                      \
	"application/"                                                                             \
	"vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

#define PROTO_TYPE                                                                                 \
	"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "               \
	"encoding=delimited; escaping="
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
#define TEXT_TYPE	 "text/plain; version=0.0.4; charset=utf-8; escaping="
#define TEXT_1_TYPE	 "text/plain; version=1.0.0; charset=utf-8; escaping="

/*
 * What scrapers send, as they were seen to, and the Content-Type they get: client_golang's, but
 * that text 1.0.0 is there for who asks for it, and that a scheme counts for its own range alone.
 */
static void test_scrapers(void **state)
{
	static const struct {
		const char *accept, *content_type;
	} rows[] = {
		{NULL, TEXT_TYPE "underscores"},
		/* Prometheus 2.24, which knows only the draft of OpenMetrics */
		{"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,"
		 "*/*;q=0.1",
		 TEXT_TYPE "underscores"},
		/* Prometheus 2.42; with native histograms */
		{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		 "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		 OPENMETRICS_TYPE "underscores"},
		{PROTO ",application/openmetrics-text;version=1.0.0;q=0.8,"
		       "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;"
		       "q=0.5,*/*;q=0.1",
		 PROTO_TYPE "underscores"},
		/* 2.49 and later: scrape_protocols in the order of the configuration */
		{"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
		 "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 OPENMETRICS_TYPE "underscores"},
		{"text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
		 "*/*;q=0.2",
		 TEXT_TYPE "underscores"},
		/* 3.5, and the OpenTelemetry collector, whose scraper is that of Prometheus */
		{"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		 "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 OPENMETRICS_TYPE "allow-utf-8"},
		/* with native histograms, or created-timestamp-zero-ingestion */
		{PROTO ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;"
		       "q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;"
		       "version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/"
		       "*;q=0.1",
		 PROTO_TYPE "underscores"},
		/* with metric_name_escaping_scheme: underscores; dots */
		{"application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		 "escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 OPENMETRICS_TYPE "underscores"},
		{"application/openmetrics-text;version=1.0.0;escaping=dots;q=0.6,"
		 "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
		 "escaping=dots;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		 OPENMETRICS_TYPE "dots"},
		/* with scrape_protocols: [PrometheusText1.0.0] */
		{"text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5",
		 TEXT_1_TYPE "allow-utf-8"},
		/* Telegraf; Prometheus before 2.0 */
		{PROTO ";q=0.7,text/plain;version=0.0.4;q=0.3", PROTO_TYPE "underscores"},
		{PROTO ";q=0.7,text/plain;version=0.0.4;q=0.3,application/json;"
		       "schema=\"prometheus/telemetry\";version=0.0.2;q=0.2,*/*;q=0.1",
		 PROTO_TYPE "underscores"},
		/* vmagent of VictoriaMetrics */
		{"text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT_TYPE "underscores"},
		/* curl, a browser, other hands */
		{"*/*", TEXT_TYPE "underscores"},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;"
		 "q=0.8",
		 TEXT_TYPE "underscores"},
		{"application/openmetrics-text", OPENMETRICS_TYPE "underscores"},
		/* the draft of OpenMetrics, which is not offered: as if nothing was asked for */
		{"application/openmetrics-text; version=0.0.1", TEXT_TYPE "underscores"},
		{"application/vnd.google.protobuf", PROTO_TYPE "underscores"},
		{"text/plain", TEXT_TYPE "underscores"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(accepted_content_type(accept_format(rows[i].accept)),
				    rows[i].content_type);
}

static void test_escapings(void **state)
{
	static const struct {
		const char *accept;
		enum escaping escaping;
	} rows[] = {
		{"text/plain;escaping=underscores", ESCAPING_UNDERSCORES},
		{"text/plain;escaping=allow-utf-8", ESCAPING_ALLOW_UTF8},
		{"text/plain;escaping=dots", ESCAPING_DOTS},
		{"text/plain;version=0.0.4;Escaping=\"values\"", ESCAPING_VALUES},
		{PROTO ";escaping=values;q=0.1", ESCAPING_VALUES},
		{"*/*;escaping=dots", ESCAPING_DOTS},
		/* not known: none */
		{"text/plain;escaping=slashes", ESCAPING_UNDERSCORES},
		{"text/plain;escaping=", ESCAPING_UNDERSCORES},
		{"text/plain;escaping=dots;q=2", ESCAPING_UNDERSCORES},
		/* after the weight, it does not belong to the range */
		{"text/plain;q=0.5;escaping=dots", ESCAPING_UNDERSCORES},
		/* that of the range that is taken, and of equally exact ones the more wanted */
		{"image/png;escaping=dots,text/plain;q=0.1", ESCAPING_UNDERSCORES},
		{"text/plain;escaping=dots;q=0.5,text/plain;escaping=values;q=0.6",
		 ESCAPING_VALUES},
		{"text/plain;escaping=dots;q=0.5,text/plain;escaping=values;q=0.5", ESCAPING_DOTS},
		{"text/plain;escaping=dots;q=0,text/plain;q=0.5", ESCAPING_UNDERSCORES},
		{"text/plain;version=0.0.4;q=0.1,text/plain;escaping=dots;q=0.5", ESCAPING_DOTS},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (accept_format(rows[i].accept).escaping != rows[i].escaping)
			fail_msg("%s: %s", rows[i].accept,
				 accepted_content_type(accept_format(rows[i].accept)));
}

static void test_weights(void **state)
{
	static const struct row rows[] = {
		{"text/plain;q=0.3, application/openmetrics-text;q=0.301", FORMAT_OPENMETRICS},
		{"text/plain;q=0.3, application/openmetrics-text;q=0.30", FORMAT_TEXT},
		{"application/openmetrics-text;q=0.3, text/plain;q=0.300", FORMAT_OPENMETRICS},
		{"text/plain;q=0, application/openmetrics-text;q=0.001", FORMAT_OPENMETRICS},
		{"text/plain;q=0.999, application/openmetrics-text;q=1", FORMAT_OPENMETRICS},
		{"text/plain;q=0.999, application/openmetrics-text;q=1.", FORMAT_OPENMETRICS},
		{"text/plain;q=0.999, application/openmetrics-text;q=1.000", FORMAT_OPENMETRICS},
		{"text/plain;q=0.999, application/openmetrics-text", FORMAT_OPENMETRICS},
		{"text/plain;Q=0.1, application/openmetrics-text;Q=0.2", FORMAT_OPENMETRICS},
		/* the most exact range has the say, wherever it stands */
		{"application/*, application/openmetrics-text;q=0, text/plain;q=0.5",
		 FORMAT_PROTOBUF},
		{"*/*, text/plain;q=0.1", FORMAT_OPENMETRICS},
		{"text/plain;q=0.1, */*", FORMAT_OPENMETRICS},
		{"text/*;q=0.5, */*;q=0.4", FORMAT_TEXT},
		{"application/openmetrics-text;version=1.0.0;q=0.1,"
		 "application/openmetrics-text;q=0.2,text/plain;q=0.15",
		 FORMAT_TEXT},
		/* a version that is not offered is no wish for the one that is */
		{"application/openmetrics-text;version=0.0.1, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;version=0.0.1, */*;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;version=0.0.1, application/*;q=0.1",
		 FORMAT_OPENMETRICS},
		/* named beats not named */
		{"*/*, application/openmetrics-text", FORMAT_OPENMETRICS},
		{"*/*;q=0.5, " PROTO ";q=0.5", FORMAT_PROTOBUF},
		/* nothing that is offered: disregarded */
		{"image/png", FORMAT_TEXT},
		{"*/*;q=0", FORMAT_TEXT},
		{"text/plain;q=0", FORMAT_TEXT},
		{"application/openmetrics-text;version=2.0.0", FORMAT_TEXT},
		{"application/vnd.google.protobuf;encoding=text", FORMAT_TEXT},
		{"application/vnd.google.protobuf;proto=other.Message", FORMAT_TEXT},
		{"text/plain;level=1;q=0.1, application/openmetrics-text;q=0.01",
		 FORMAT_OPENMETRICS},
	};

	(void)state;
	CHECK(rows);
}

static void test_odd_headers(void **state)
{
	static const struct row rows[] = {
		{"", FORMAT_TEXT},
		{",,, ,", FORMAT_TEXT},
		{";;;;", FORMAT_TEXT},
		{"q=1", FORMAT_TEXT},
		{"/", FORMAT_TEXT},
		{"*", FORMAT_TEXT},
		{"*/plain;q=0.1, application/openmetrics-text;q=0.01", FORMAT_OPENMETRICS},
		{"APPLICATION/OpenMetrics-Text ; Version=\"1.0.0\" ; Charset=UTF-8",
		 FORMAT_OPENMETRICS},
		{"\t application/openmetrics-text\t;\tversion=1.0.0\t;\tq=1\t", FORMAT_OPENMETRICS},
		{" , application/openmetrics-text, ,", FORMAT_OPENMETRICS},
		{"text/plain;foo=\"a,b;q=1\\\"\", application/openmetrics-text;q=0.1",
		 FORMAT_OPENMETRICS},
		{"text/plain;foo=\"never ends, application/openmetrics-text", FORMAT_TEXT},
		/* an invalid weight: the range is ignored */
		{"application/openmetrics-text;q=2, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q=1.001, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q=-1, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q=0.1234, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q=, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q, text/plain;q=0.1", FORMAT_TEXT},
		{"application/openmetrics-text;q=nan, text/plain;q=0.1", FORMAT_TEXT},
		/* what follows the weight belongs to it */
		{"application/openmetrics-text;q=0.5;ext=1, text/plain;q=0.1", FORMAT_OPENMETRICS},
		{"application/openmetrics-text;;;q=0.5, text/plain;q=0.1", FORMAT_OPENMETRICS},
	};

	(void)state;
	CHECK(rows);
}

static void test_gzip(void **state)
{
	static const struct {
		const char *header;
		bool gzip;
	} rows[] = {
		{NULL, false},
		{"", false},
		{"gzip", true},
		{"GZip", true},
		{"x-gzip", true},
		{"gzip, deflate, br", true},
		{"deflate, br, zstd", false},
		{"gzip;q=0", false},
		{"gzip;q=0.000", false},
		{"gzip;q=0.001", true},
		{"*", true},
		{"*;q=0", false},
		{"gzip;q=0, *", false},
		{"identity, gzip;q=0.5", false},
		{"identity;q=0.5, gzip;q=0.5", true},
		{"identity;q=0, gzip;q=0.1", true},
		{"identity;q=0, *;q=0", false},
		{"gzip;q=7", false},
		{"gzipped", false},
		{" , gzip ;q=1,", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (accept_gzip(rows[i].header) != rows[i].gzip)
			fail_msg("%s", rows[i].header ? rows[i].header : "(none)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scrapers), cmocka_unit_test(test_escapings),
		cmocka_unit_test(test_weights),	 cmocka_unit_test(test_odd_headers),
		cmocka_unit_test(test_gzip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
