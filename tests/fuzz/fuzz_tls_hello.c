/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ClientHellos that a stranger may send. tls_hello_parse() ends, and stays within the message. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *body = malloc(size ?: 1); /* of its own, so that ASan sees its end */
	struct tls_hello hello;
	uint16_t version;

	if (!body)
		return 0;
	memcpy(body, data, size);
	if (tls_hello_parse(body, size, &hello)) {
		version = tls_hello_version(&hello, 0x0301, TLS_VERSION_1_3);
		if (version && (version < 0x0301 || version > TLS_VERSION_1_3))
			abort();
		tls_numbers_have(&hello.suites, 0xffff);
		tls_numbers_have(&hello.groups, 0xffff);
		tls_numbers_have(&hello.signatures, 0xffff);
	}
	free(body);
	return 0;
}
