/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/first_bytes.h"

#include <stdio.h>
#include <sys/socket.h>

/* RFC 8446 5.1: the type of a record, and the first byte of its version. */
#define RECORD_HANDSHAKE     0x16
#define RECORD_VERSION_MAJOR 3

#define DRAIN_MAX	     (64UL * 1024)

enum refusal first_bytes_check(const unsigned char *bytes, size_t count, bool tls)
{
	bool handshake = bytes[0] == RECORD_HANDSHAKE;

	if (!tls)
		return handshake && (count < 2 || bytes[1] == RECORD_VERSION_MAJOR)
			       ? REFUSAL_TLS_TO_PLAIN
			       : REFUSAL_NONE;
	if (handshake)
		return REFUSAL_NONE;
	/* A request of HTTP begins with the name of its method. */
	return bytes[0] >= 'A' && bytes[0] <= 'Z' ? REFUSAL_PLAIN_HTTP : REFUSAL_NO_TLS;
}

void socket_drain(int fd)
{
	char bytes[4096];
	ssize_t got;
	size_t all = 0;

	while (all < DRAIN_MAX && (got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		all += (size_t)got;
}

void first_bytes_answer(int fd, enum refusal reason)
{
	const char *text = reason == REFUSAL_PLAIN_HTTP
				   ? "TLS is spoken here: ask for https://\n"
				   : "plain HTTP is spoken here: ask for http://\n";
	char reply[256];
	int len;

	if (reason != REFUSAL_NO_TLS) {
		len = snprintf(reply, sizeof(reply),
			       "HTTP/1.1 400 Bad Request\r\n"
			       "Content-Type: text/plain; charset=utf-8\r\n"
			       "Connection: close\r\n\r\n%s",
			       text);
		send(fd, reply, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	socket_drain(fd);
}
