/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text that is compressed piece by piece comes back whole from zlib's own reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "http/gzip.h"

static void check_inflates_to(const struct buf *packed, const char *data, size_t len)
{
	z_stream stream = {0};
	unsigned char *out = malloc(len + 1);

	assert_false(buf_failed(packed));
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK); /* gzip alone */
	stream.next_in = (unsigned char *)packed->data;
	stream.avail_in = (unsigned int)packed->len;
	stream.next_out = out;
	stream.avail_out = (unsigned int)len + 1;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, len);
	assert_memory_equal(out, data, len);
	inflateEnd(&stream);
	free(out);
}

static void check_pieces(const char *data, size_t len, size_t piece)
{
	struct buf packed = {0};
	struct gzip *gzip = gzip_begin(&packed);
	size_t at;

	assert_non_null(gzip);
	for (at = 0; at < len; at += piece)
		gzip_add(gzip, data + at, len - at < piece ? len - at : piece);
	gzip_end(gzip);
	check_inflates_to(&packed, data, len);
	buf_free(&packed);
}

static void test_text(void **state)
{
	struct buf text = {0};
	int i;

	(void)state;
	for (i = 0; i < 20000; i++)
		buf_printf(&text, "family_bucket{pod=\"pod-%d\",le=\"0.25\"} %d\n", i / 14,
			   i * 7919);
	check_pieces(text.data, text.len, text.len);
	check_pieces(text.data, text.len, 32768);
	check_pieces(text.data, text.len, 1000);
	check_pieces(text.data, 5000, 1);
	buf_free(&text);
}

/* Data that cannot be made shorter. */
static void test_noise(void **state)
{
	static char noise[300000];
	uint32_t word = 1;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(noise); i++) {
		word = word * 1664525 + 1013904223;
		noise[i] = (char)(word >> 24);
	}
	check_pieces(noise, sizeof(noise), sizeof(noise));
	check_pieces(noise, sizeof(noise), 4096);
}

static void test_empty(void **state)
{
	(void)state;
	check_pieces("", 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
