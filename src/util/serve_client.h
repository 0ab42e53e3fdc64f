/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What those share who ask a running serve through its socket: top and why. */
#ifndef BRAMBLE_SERVE_CLIENT_H
#define BRAMBLE_SERVE_CLIENT_H

#include <stddef.h>

#include <curl/curl.h>

#include "util/buf.h"

/* The beginning of a URL. The host's name does not matter: the request goes to the socket. */
#define SERVE_URL "http://bramble"

/* A reply, as it comes. Its owner frees the text. */
struct serve_reply {
	struct buf text;
	size_t max; /* bytes; a longer one ends the transfer with CURLE_WRITE_ERROR */
};

/*
 * Sets a handle up to ask serve at socket, and to add what it sends to reply, which must be there
 * until the transfer has ended. The texts are copied.
 */
void serve_client_set_up(CURL *curl, const char *socket, const char *url,
			 struct serve_reply *reply);

/* Logs why a socket cannot be used: the error of listener_find(). command: "top". */
void serve_client_log_error(const char *command, const char *socket, int err);

#endif
