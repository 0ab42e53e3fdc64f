/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: reading JSON-FILE PROTOBUF-FILE [ROUNDS]
 *
 * What it takes to read the counts of one moment from each of two files of the same serve: from the
 * API's JSON, as `bramble top` does, to its end, the entries; and from the protobuf exposition with
 * protobuf-c, only as far as its messages. Prints the median CPU time of ROUNDS (101).
 */
#include <stdio.h>
#include <stdlib.h>

#include "diagnose/reading_json.h"
#include "expose/metrics.pb-c.h"
#include "util/buf.h"
#include "util/clock.h"

#include "bench.h"

#define FILE_MAX ((size_t)64 << 20)

/* The text becomes the reading's. */
static bool read_json(struct buf *text)
{
	struct reading reading;
	size_t len = text->len;
	int err = reading_parse(&reading, buf_take(text), len);

	reading_free(&reading);
	return err == 0;
}

/* Reads messages, each of which stands behind its length. */
static bool read_protobuf(struct buf *messages)
{
	const uint8_t *at = (const uint8_t *)messages->data, *end = at + messages->len;

	while (at < end) {
		Io__Prometheus__Client__MetricFamily *family;
		unsigned int shift = 0;
		size_t len = 0;

		do {
			len |= (size_t)(*at & 0x7f) << shift;
			shift += 7;
		} while (*at++ & 0x80);
		family = io__prometheus__client__metric_family__unpack(NULL, len, at);
		if (!family)
			return false;
		io__prometheus__client__metric_family__free_unpacked(family, NULL);
		at += len;
	}
	return true;
}

static void measure(const char *name, const char *path, bool (*read)(struct buf *), int rounds)
{
	double *ms = calloc((size_t)rounds, sizeof(*ms));
	struct buf text = {0};
	uint64_t start_ns;
	int i, err = buf_read_file(&text, path, FILE_MAX);

	for (i = 0; i < rounds && !err; i++) {
		struct buf copy = {0};

		buf_add(&copy, text.data, text.len);
		start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		err = !read(&copy);
		ms[i] = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns) / 1e6;
		buf_free(&copy);
	}
	if (err) {
		fprintf(stderr, "reading: %s: cannot be read as %s\n", path, name);
		exit(1);
	}
	printf("| %s | %.2f | %zu |\n", name, quantile(ms, rounds, 0.5), text.len);
	buf_free(&text);
	free(ms);
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[3]) : 101;

	if (argc < 3 || rounds < 1) {
		fprintf(stderr, "usage: reading JSON-FILE PROTOBUF-FILE [ROUNDS]\n");
		return 2;
	}
	puts("| read | CPU ms | bytes |\n|---|---|---|");
	measure("JSON", argv[1], read_json, rounds);
	measure("protobuf", argv[2], read_protobuf, rounds);
	return 0;
}
