/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a request is answered with, and how it is handed to libmicrohttpd. */
#ifndef BRAMBLE_REPLY_H
#define BRAMBLE_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bodies;
struct guard;
struct http_body;
struct MHD_Connection;

struct http_reply {
	unsigned int status;
	const char *content_type; /* static; NULL: there is no body */
	char *body; /* freed by the server; NULL: memory ran out, which is answered with 500 */
	size_t len;
	bool gzip;		  /* the body is gzipped */
	bool negotiated;	  /* it depends on Accept and Accept-Encoding */
	bool close;		  /* the connection, after the reply */
	unsigned int kind;	  /* see http_reply_again(); 0: not to be shared */
	struct http_body *shared; /* set by http_reply_again() */
};

/* Makes *reply a line of text, which is copied. */
void reply_text(struct http_reply *reply, unsigned int status, const char *text);

/*
 * Sends a reply with all its headers, and those of the guard (NULL: none). A header that cannot be
 * added would make it a wrong reply: then a 500 is sent in its place, and the log says so, as
 * log_is_due() allows with *told_ns. The body is freed or counted in bodies. Returns false if
 * nothing can be sent: close the connection.
 */
bool reply_send(struct MHD_Connection *connection, const struct http_reply *reply,
		struct bodies *bodies, const struct guard *guard, uint64_t *told_ns);

#endif
