/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/request.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "http/target.h"
#include "util/array.h"
#include "util/ascii.h"

#define BAD_REQUEST	   400
#define LENGTH_REQUIRED	   411
#define CONTENT_TOO_LARGE  413
#define EXPECTATION_FAILED 417
#define NOT_IMPLEMENTED	   501

static const char *const methods[] = {"GET",	 "HEAD",    "POST",  "PUT",  "DELETE",
				      "CONNECT", "OPTIONS", "TRACE", "PATCH"};

bool request_method_known(const char *method)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(method, methods[i]) == 0)
			return true;
	return false;
}

static void fault(struct request_head *head, unsigned int status, const char *what)
{
	if (head->status)
		return;
	head->status = status;
	head->fault = what;
}

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text)
{
	const char *c;

	for (c = text; *c; c++)
		if (!ascii_alnum(*c) && !strchr("!#$%&'*+-.^_`|~", *c))
			return false;
	return c > text;
}

/* RFC 9110, 5.5. Bytes from 0x80 on are allowed, and mean nothing. */
static bool is_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

void request_begin(struct request_head *head, const char *method, const char *version)
{
	*head = (struct request_head){.method = method, .version = version};
	if (!is_token(method))
		fault(head, BAD_REQUEST, "the method is no token");
}

/* A value without the spaces around it. */
static size_t trim(const char **value)
{
	size_t len;

	*value += strspn(*value, " \t");
	len = strlen(*value);
	while (len && ((*value)[len - 1] == ' ' || (*value)[len - 1] == '\t'))
		len--;
	return len;
}

/* A number beyond all bounds stays so, whatever its digits. */
static void read_length(struct request_head *head, const char *value)
{
	size_t i, len = trim(&value);

	if (head->lengths++)
		fault(head, BAD_REQUEST, "there is more than one Content-Length");
	if (!len || len != strspn(value, "0123456789"))
		fault(head, BAD_REQUEST, "Content-Length is no number");
	for (i = 0; i < len && head->length <= REQUEST_BODY_MAX; i++)
		head->length = 10 * head->length + (uint64_t)(value[i] - '0');
}

static bool is_word(const char *value, const char *word)
{
	size_t len = trim(&value);

	return len == strlen(word) && strncasecmp(value, word, len) == 0;
}

static void read_host(struct request_head *head, const char *value)
{
	size_t len = trim(&value);

	if (head->hosts++)
		fault(head, BAD_REQUEST, "there is more than one Host");
	if (!target_is_host(value, len))
		fault(head, BAD_REQUEST, "Host is no host");
}

void request_header(struct request_head *head, const char *name, const char *value)
{
	if (!is_token(name))
		fault(head, BAD_REQUEST, "the name of a header is no token");
	if (!is_value(value))
		fault(head, BAD_REQUEST, "there is a control character in a header");
	if (strcasecmp(name, "Host") == 0) {
		read_host(head, value);
	} else if (strcasecmp(name, "Content-Length") == 0) {
		read_length(head, value);
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		head->encodings++;
		head->chunked = is_word(value, "chunked");
	} else if (strcasecmp(name, "Expect") == 0) {
		head->expects |= !is_word(value, "100-continue");
	}
}

void request_end(struct request_head *head)
{
	bool old = strcmp(head->version, "HTTP/1.0") == 0;

	if (!head->hosts && !old)
		fault(head, BAD_REQUEST, "there is no Host");
	if (head->encodings && head->lengths)
		fault(head, BAD_REQUEST, "there are Transfer-Encoding and Content-Length");
	if (head->encodings && old)
		fault(head, BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding");
	if (head->encodings == 1 && head->chunked)
		fault(head, LENGTH_REQUIRED, "a body needs a Content-Length here");
	if (head->encodings)
		fault(head, NOT_IMPLEMENTED, "this Transfer-Encoding is not implemented");
	if (head->length > REQUEST_BODY_MAX)
		fault(head, CONTENT_TOO_LARGE, "the body is too large");
	if (head->expects && !old)
		fault(head, EXPECTATION_FAILED, "only 100-continue can be expected");
}
