/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/expose.h"

#include "expose/text.h"
#include "http/gzip.h"

/* How much plain text is compressed at a time. */
#define PIECE (32UL * 1024)

/* Plain text on its way to be compressed. */
struct pipe {
	struct buf plain;
	struct gzip *gzip;
};

static void drain(void *context)
{
	struct pipe *pipe = context;

	if (pipe->plain.len < PIECE)
		return;
	gzip_add(pipe->gzip, pipe->plain.data, pipe->plain.len);
	buf_truncate(&pipe->plain, 0);
}

static void write_plain(struct buf *out, const struct expose_options *options,
			const struct scrape *scrape, struct pipe *pipe)
{
	enum format format = options->accepted.format;
	struct protobuf protobuf;
	struct text text;
	struct samples *samples;

	if (format == FORMAT_PROTOBUF) {
		protobuf_begin(&protobuf, out, options->forms);
		samples = &protobuf.samples;
	} else {
		text_begin(&text, out,
			   format == FORMAT_TEXT || format == FORMAT_TEXT_1 ? TEXT_PROMETHEUS
									    : TEXT_OPENMETRICS);
		text.created = options->created;
		samples = &text.samples;
	}
	samples->drain = pipe ? drain : NULL;
	samples->drain_context = pipe;
	samples_write(samples, scrape);
	if (samples->failed)
		out->failed = true;
	if (format == FORMAT_PROTOBUF)
		protobuf_end(&protobuf);
	else
		text_end(&text);
}

void expose_write(struct buf *out, const struct expose_options *options,
		  const struct scrape *scrape)
{
	struct pipe pipe = {.gzip = options->gzip ? gzip_begin(out) : NULL};

	if (!options->gzip) {
		write_plain(out, options, scrape, NULL);
		return;
	}
	if (!pipe.gzip) {
		out->failed = true;
		return;
	}
	write_plain(&pipe.plain, options, scrape, &pipe);
	gzip_add(pipe.gzip, pipe.plain.data, pipe.plain.len);
	gzip_end(pipe.gzip);
	if (buf_failed(&pipe.plain))
		out->failed = true;
	buf_free(&pipe.plain);
}
