/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether the head of a request is what RFC 9112 allows. What could be understood in two ways, by a
 * proxy and by us, is refused.
 */
#ifndef BRAMBLE_REQUEST_H
#define BRAMBLE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/* The longest body of a request that is read, and thrown away. */
#define REQUEST_BODY_MAX (64UL * 1024)

/* A head that is being checked. */
struct request_head {
	const char *method;
	const char *version;
	unsigned int hosts, lengths, encodings;
	bool chunked;
	bool expects; /* something else than 100-continue */
	uint64_t length;
	unsigned int status; /* what the first fault is answered with; 0: none yet */
	const char *fault;   /* one line, static */
};

/* Begins with the request line: the method, and "HTTP/1.1" or the like. */
void request_begin(struct request_head *head, const char *method, const char *version);

/* The next header, in the order in which they came. */
void request_header(struct request_head *head, const char *name, const char *value);

/* After the last one. head->status is 0 if the head is right. */
void request_end(struct request_head *head);

/* Whether it is a method of RFC 9110 or 5789, whatever is served. */
bool request_method_known(const char *method);

#endif
