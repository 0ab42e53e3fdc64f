/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/reply.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "http/bodies.h"
#include "http/guard.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"

#define PLAIN_TEXT "text/plain; charset=utf-8"

void reply_text(struct http_reply *reply, unsigned int status, const char *text)
{
	*reply = (struct http_reply){
		.status = status,
		.content_type = PLAIN_TEXT,
		.body = strdup(text),
		.len = strlen(text),
	};
}

/* A header, or nothing if there is no value. */
static bool add(struct MHD_Response *response, const char *name, const char *value)
{
	return !value || MHD_add_response_header(response, name, value) == MHD_YES;
}

/* The headers that belong to a status. */
static const struct {
	unsigned int status;
	const char *name, *value;
} of_status[] = {
	{MHD_HTTP_NO_CONTENT, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, OPTIONS"},
	{MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, OPTIONS"},
	{MHD_HTTP_UNAUTHORIZED, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"bramble\""},
	{MHD_HTTP_SERVICE_UNAVAILABLE, MHD_HTTP_HEADER_RETRY_AFTER, "1"},
	{MHD_HTTP_TOO_MANY_REQUESTS, MHD_HTTP_HEADER_RETRY_AFTER, "1"},
};

/* Returns the name of the header that could not be added, or NULL. */
static const char *add_headers(struct MHD_Response *response, const struct http_reply *reply,
			       const struct guard *guard)
{
	size_t i;

	if (!add(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type))
		return MHD_HTTP_HEADER_CONTENT_TYPE;
	if (!add(response, MHD_HTTP_HEADER_CONTENT_ENCODING, reply->gzip ? "gzip" : NULL))
		return MHD_HTTP_HEADER_CONTENT_ENCODING;
	if (!add(response, MHD_HTTP_HEADER_VARY,
		 reply->negotiated ? "Accept, Accept-Encoding" : NULL))
		return MHD_HTTP_HEADER_VARY;
	if (!add(response, MHD_HTTP_HEADER_CONNECTION, reply->close ? "close" : NULL))
		return MHD_HTTP_HEADER_CONNECTION;
	for (i = 0; i < ARRAY_SIZE(of_status); i++)
		if (of_status[i].status == reply->status &&
		    !add(response, of_status[i].name, of_status[i].value))
			return of_status[i].name;
	for (i = 0; guard && i < WEB_HEADERS; i++)
		if (!add(response, web_header_names[i], guard_header(guard, (enum web_header)i)))
			return web_header_names[i];
	return NULL;
}

/* Queues a response and lets go of it. */
static bool queue(struct MHD_Connection *connection, unsigned int status,
		  struct MHD_Response *response)
{
	enum MHD_Result result = MHD_queue_response(connection, status, response);

	MHD_destroy_response(response);
	return result == MHD_YES;
}

/* The reply that stands for one that cannot be sent as it should. */
static bool send_failure(struct MHD_Connection *connection, const char *header, uint64_t *told_ns)
{
	static const char text[] = "a header of the reply cannot be sent; see bramble's log\n";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		sizeof(text) - 1, (void *)text, MHD_RESPMEM_PERSISTENT);

	if (log_is_due(told_ns, clock_monotonic_ns()))
		log_error("the header %s cannot be sent, so requests are answered with 500: is "
			  "there memory, and is its value in --web.config.file one line?",
			  header);
	if (!response)
		return false;
	if (add(response, MHD_HTTP_HEADER_CONTENT_TYPE, PLAIN_TEXT))
		return queue(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, response);
	MHD_destroy_response(response);
	return false;
}

bool reply_send(struct MHD_Connection *connection, const struct http_reply *reply,
		struct bodies *bodies, const struct guard *guard, uint64_t *told_ns)
{
	struct http_body *body = reply->shared;
	struct MHD_Response *response;
	const char *missing;

	if (!body)
		body = body_new(bodies, reply->body, reply->len, reply->kind);
	if (!body)
		return false;
	body->refs++;
	response = MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->data,
									  body_unref, body);
	if (!response) {
		body_unref(body);
		return false;
	}
	missing = add_headers(response, reply, guard);
	if (!missing)
		return queue(connection, reply->status, response);
	MHD_destroy_response(response);
	return send_failure(connection, missing, told_ns);
}
