/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Alerts in a stream of TLS records, by the records' headers. Layout: RFC 8446 5.1. */
#ifndef BRAMBLE_TLS_RECORDS_H
#define BRAMBLE_TLS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_RECORD_HEADER 5

/* All zero at first. */
struct tls_records {
	uint8_t header[TLS_RECORD_HEADER];
	size_t have; /* bytes of the header */
	size_t left; /* bytes of the record */
};

/*
 * Takes the next bytes of a client's handshake, which may be cut anywhere. Returns whether they
 * complete the header of an alert. An alert that TLS 1.3 encrypts is recognised because it is
 * shorter than any message of the handshake.
 */
bool tls_records_alert(struct tls_records *records, const uint8_t *bytes, size_t count);

#endif
