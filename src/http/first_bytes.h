/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Looks at the first bytes of a client before they are read: does it speak TLS where TLS is
 * expected, and HTTP where HTTP is expected? Otherwise it would get no answer that it understands.
 */
#ifndef BRAMBLE_FIRST_BYTES_H
#define BRAMBLE_FIRST_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#include "http/refusals.h"

/* How many bytes are needed to decide. */
#define FIRST_BYTES 2

/* Whether these bytes (at least one) begin what is expected: REFUSAL_NONE, or why not. */
enum refusal first_bytes_check(const unsigned char *bytes, size_t count, bool tls);

/* Answers with status 400 in plain HTTP, as far as the socket takes it at once, and drains the
 * socket. The caller shuts it down. */
void first_bytes_answer(int fd, enum refusal reason);

/* Reads what has come and throws it away. Closing a socket with unread data resets the connection,
 * and then the client may not see what was sent last. */
void socket_drain(int fd);

#endif
