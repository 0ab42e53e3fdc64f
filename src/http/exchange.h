/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One request, from its first line to the end of its reply, and whether its head is right. */
#ifndef BRAMBLE_EXCHANGE_H
#define BRAMBLE_EXCHANGE_H

#include <stdbool.h>

#include <microhttpd.h>

#include "http/auth.h"

/*
 * How strict libmicrohttpd is by itself. From 0.9.77 on, level 1 refuses bare line feeds and the
 * like. Until then, this has to be found out (line_ends.h), and level 1 does no more than to close
 * the connection where exchange_check() answers with 400.
 */
#define EXCHANGE_FINDS_LINE_ENDS (MHD_VERSION >= 0x00097701)
#if EXCHANGE_FINDS_LINE_ENDS
#define EXCHANGE_STRICT_OPTION MHD_OPTION_CLIENT_DISCIPLINE_LVL
#define EXCHANGE_STRICT_LEVEL  1
#else
#define EXCHANGE_STRICT_OPTION MHD_OPTION_STRICT_FOR_CLIENT
#define EXCHANGE_STRICT_LEVEL  0
#endif

struct exchange {
	struct auth_ticket ticket; /* first */
	struct MHD_Connection *connection;
	char *target;	  /* as the client sent it */
	const char *came; /* where it stands in libmicrohttpd's buffer */
	char *path;	  /* what it asks for; NULL before it was checked */
	bool checked;	  /* the head was, and found right or wrong */
	bool waits;	  /* its password is being checked, or was. libmicrohttpd leaves it alone */
	bool let_in;	  /* and served */
};

/* The target has come. It is copied. NULL if memory ran out. */
struct exchange *exchange_new(struct MHD_Connection *connection, const char *target);
void exchange_free(struct exchange *exchange);

/*
 * Checks the head, when all of it has come. Returns 0 and the path is set; or the status of the
 * refusal, and *fault is one line (static).
 */
unsigned int exchange_check(struct exchange *exchange, const char *method, const char *version,
			    const char **fault);

#endif
