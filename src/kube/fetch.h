/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One HTTPS GET request at a time, driven by the caller's event loop. It makes no thread, and
 * nothing blocks. The body is passed on as it arrives. The connection is kept for the next request.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_FETCH_H
#define BRAMBLE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

/* Takes a part of the body of a reply with status 200. Returns 0, or an error that ends it. */
typedef int (*fetch_data_fn)(void *context, const char *data, size_t len);

struct fetch_options {
	const char *url; /* only https is allowed */
	const char *ca_file;
	bool insecure; /* take any certificate */
	/* Where to connect to in place of the URL's host: "::HOST:PORT" as in curl's --connect-to.
	 * NULL: there. */
	const char *connect_to;
	long connect_ms, total_ms;
	size_t body_max; /* bytes */
	fetch_data_fn on_data;
	void *context;
};

/* How a request ended. */
struct fetch_result {
	CURLcode code;		       /* CURLE_OK: a whole reply came, with this status */
	long status;		       /* 0: none came */
	int data_error;		       /* what on_data returned last, or -EFBIG */
	uint64_t body;		       /* bytes of it that came */
	char message[CURL_ERROR_SIZE]; /* curl's, for people */
};

struct fetch;

/*
 * Makes one. The strings of the options must outlive it. Returns 0 or a negative errno.
 * fetch_free() ends a request that is under way.
 */
int fetch_new(const struct fetch_options *options, struct fetch **out);
void fetch_free(struct fetch *fetch);

/* Readable when fetch_run() has something to do. */
int fetch_fd(const struct fetch *fetch);

/* Begins a request with this bearer token. None may be under way. Returns 0 or -ENOMEM. */
int fetch_start(struct fetch *fetch, const char *token);

bool fetch_under_way(const struct fetch *fetch);

/* Does what is due. Returns whether the request ended; then *result says how. */
bool fetch_run(struct fetch *fetch, struct fetch_result *result);

#endif
