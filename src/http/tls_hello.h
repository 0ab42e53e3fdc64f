/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A ClientHello: what a client offers. Layout: RFC 8446 4.1.2 (TLS 1.3), which is that of
 * RFC 5246 7.4.1.2 (TLS 1.2) with its extensions.
 */
#ifndef BRAMBLE_TLS_HELLO_H
#define BRAMBLE_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of numbers of two bytes each, the highest first; in the message. */
struct tls_numbers {
	const uint8_t *at;
	size_t count;
};

struct tls_hello {
	uint16_t version;	     /* the highest; used if there is no list */
	struct tls_numbers versions; /* supported_versions; at is NULL without it */
	struct tls_numbers suites;
	struct tls_numbers groups;     /* supported_groups; at is NULL without it */
	struct tls_numbers signatures; /* signature_algorithms; at is NULL without it */
};

#define TLS_VERSION_1_2 0x0303
#define TLS_VERSION_1_3 0x0304

/* Reads the body of the message. It must outlive *hello. Returns whether it is whole. */
bool tls_hello_parse(const uint8_t *body, size_t len, struct tls_hello *hello);

uint16_t tls_number(const struct tls_numbers *numbers, size_t i);
bool tls_numbers_have(const struct tls_numbers *numbers, uint16_t number);

/*
 * The version to use: the highest one from min to max (0x0301 is TLS 1.0) that the client offers. 0
 * if there is none.
 */
uint16_t tls_hello_version(const struct tls_hello *hello, uint16_t min, uint16_t max);

#endif
