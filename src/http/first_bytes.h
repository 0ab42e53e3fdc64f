/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a client begins with, looked at before it is read: whether it speaks TLS where TLS is
 * spoken, and HTTP where HTTP is. Else it would be left without an answer that it understands.
 */
#ifndef BRAMBLE_FIRST_BYTES_H
#define BRAMBLE_FIRST_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#include "http/refusals.h"

/* How many bytes tell. */
#define FIRST_BYTES 2

/* Whether these bytes, at least one, are a beginning that fits: REFUSAL_NONE, or why not. */
enum refusal first_bytes_check(const unsigned char *bytes, size_t count, bool tls);

/* Answers with status 400 in plain HTTP, as far as the socket takes it at once, and drains it. The
 * caller shuts the socket down. */
void first_bytes_answer(int fd, enum refusal reason);

/* Reads what has come and throws it away: to close a socket with unread data resets the connection,
 * and the client may not see what was sent last. */
void socket_drain(int fd);

#endif
