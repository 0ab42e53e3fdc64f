/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Malformed requests: whole requests with bytes changed, cut out or put in twice, or with an end
 * missing. The same number makes the same request.
 */
#ifndef BRAMBLE_TEST_MALFORMED_H
#define BRAMBLE_TEST_MALFORMED_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"

#define MALFORMED_MAX 40000

static const char *const malformed_seeds[] = {
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: application/vnd.google.protobuf;"
	"proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;q=0.3\r\n"
	"Accept-Encoding: gzip;q=0.5, *;q=0\r\nUser-Agent: Prometheus/3.0\r\n\r\n",
	"GET /metrics?histograms=both&name[]=%zz%00&a==&&? HTTP/1.1\r\nHost: a\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close, keep-alive\r\n\r\n",
	"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nbody",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n",
	"GET /api/v1/containers HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
	"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\nAuthorization: Basic !!!=\r\nRange: "
	"bytes=0-\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};

static inline uint32_t malformed_noise(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* One change of a random kind. Returns the new length. */
static inline size_t malformed_change(char *text, size_t len, uint32_t *state)
{
	size_t at = len ? malformed_noise(state) % len : 0;
	size_t piece = 1 + malformed_noise(state) % 16;

	if (piece > len - at)
		piece = len - at;
	switch (malformed_noise(state) % 5) {
	case 0: /* another byte */
		if (len)
			text[at] = (char)malformed_noise(state);
		return len;
	case 1: /* a piece less */
		memmove(text + at, text + at + piece, len - at - piece);
		return len - piece;
	case 2: /* a piece twice */
		if (len + piece > MALFORMED_MAX)
			return len;
		memmove(text + at + piece, text + at, len - at);
		return len + piece;
	case 3: /* one byte very often */
		piece = malformed_noise(state) % 8 ? piece : MALFORMED_MAX / 2;
		if (!len || len + piece > MALFORMED_MAX)
			return len;
		memmove(text + at + piece, text + at, len - at);
		memset(text + at, text[at], piece);
		return len + piece;
	default: /* no end */
		return malformed_noise(state) % 4 ? len : at;
	}
}

/* Makes request number seed. Returns its length, at most MALFORMED_MAX. */
static inline size_t malformed_request(uint32_t seed, char text[MALFORMED_MAX])
{
	const size_t seeds = ARRAY_SIZE(malformed_seeds);
	uint32_t state = seed * 2654435761U, changes;
	size_t len;

	snprintf(text, MALFORMED_MAX, "%s", malformed_seeds[malformed_noise(&state) % seeds]);
	len = strlen(text);
	for (changes = 1 + malformed_noise(&state) % 6; changes; changes--)
		len = malformed_change(text, len, &state);
	return len;
}

#endif
