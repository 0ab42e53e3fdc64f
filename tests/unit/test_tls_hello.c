/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A ClientHello, whole and cut at each byte; alerts among records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/tls_hello.h"
#include "http/tls_records.h"

/* Version 1.2, random, no session, three suites, no compression, then the extensions: one that is
 * not known, the groups X25519 and P-256, ECDSA with SHA-256, the versions 1.3 and 1.2. */
static const uint8_t hello_1_3[] = {
	3,    3,    1,	  2,	3,    4,    5,	  6,	7,  8,	9,  10, 11, 12, 13, 14, 15, 16,
	17,   18,   19,	  20,	21,   22,   23,	  24,	25, 26, 27, 28, 29, 30, 31, 32, /* random */
	0,							   /* session */
	0,    6,    0x13, 0x01, 0xc0, 0x2f, 0x00, 0x2f,		   /* suites */
	1,    0,						   /* compression */
	0,    34,						   /* extensions */
	0xab, 0xcd, 0,	  1,	7,				   /* unknown */
	0,    10,   0,	  6,	0,    4,    0,	  29,	0,  23,	   /* groups */
	0,    13,   0,	  4,	0,    2,    4,	  3,		   /* signatures */
	0,    43,   0,	  7,	6,    3,    4,	  3,	3,  0,	0, /* versions */
};

/* The same without extensions. */
#define WITHOUT_EXTENSIONS (2 + 32 + 1 + 8 + 2)

static void a_whole_one(void **state)
{
	struct tls_hello hello;

	(void)state;
	assert_true(tls_hello_parse(hello_1_3, sizeof(hello_1_3), &hello));
	assert_int_equal(hello.version, 0x0303);
	assert_int_equal(hello.suites.count, 3);
	assert_int_equal(tls_number(&hello.suites, 1), 0xc02f);
	assert_true(tls_numbers_have(&hello.suites, 0x1301));
	assert_false(tls_numbers_have(&hello.suites, 0x1302));
	assert_int_equal(hello.groups.count, 2);
	assert_true(tls_numbers_have(&hello.groups, 23));
	assert_int_equal(hello.signatures.count, 1);
	assert_true(tls_numbers_have(&hello.signatures, 0x0403));
	assert_int_equal(hello.versions.count, 3);
}

static void versions(void **state)
{
	struct tls_hello hello;

	(void)state;
	assert_true(tls_hello_parse(hello_1_3, sizeof(hello_1_3), &hello));
	assert_int_equal(tls_hello_version(&hello, 0x0301, 0x0304), 0x0304);
	assert_int_equal(tls_hello_version(&hello, 0x0301, 0x0303), 0x0303);
	assert_int_equal(tls_hello_version(&hello, 0x0301, 0x0302), 0);
	/* Without the list it is the one at the beginning, or one before. */
	assert_true(tls_hello_parse(hello_1_3, WITHOUT_EXTENSIONS, &hello));
	assert_null(hello.versions.at);
	assert_null(hello.groups.at);
	assert_int_equal(tls_hello_version(&hello, 0x0301, 0x0304), 0x0303);
	assert_int_equal(tls_hello_version(&hello, 0x0301, 0x0302), 0x0302);
	assert_int_equal(tls_hello_version(&hello, 0x0304, 0x0304), 0);
}

static void cut_anywhere(void **state)
{
	struct tls_hello hello;
	uint8_t *copy;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(hello_1_3); len++) {
		copy = malloc(len ?: 1); /* so that ASan sees its end */
		memcpy(copy, hello_1_3, len);
		assert_int_equal(tls_hello_parse(copy, len, &hello), len == WITHOUT_EXTENSIONS);
		free(copy);
	}
}

static void alerts(void **state)
{
	/* A handshake's record, one that TLS 1.3 hides, and the two kinds of alert. */
	static const uint8_t stream[] = {22, 3, 1, 0, 3, 21, 21, 21, 23, 3, 3, 0, 20,
					 1,  2, 3, 4, 5, 6,  7,	 8,  9,	 0, 1, 2, 3,
					 4,  5, 6, 7, 8, 9,  0,	 21, 3,	 3, 0, 2};
	static const uint8_t hidden[] = {23, 3, 3, 0, 19};
	struct tls_records records = {.have = 0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stream); i++)
		assert_int_equal(tls_records_alert(&records, &stream[i], 1),
				 i == sizeof(stream) - 1);
	records = (struct tls_records){.have = 0};
	assert_false(tls_records_alert(&records, stream, sizeof(stream) - 1));
	records = (struct tls_records){.have = 0};
	assert_true(tls_records_alert(&records, hidden, sizeof(hidden)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one),
		cmocka_unit_test(versions),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
