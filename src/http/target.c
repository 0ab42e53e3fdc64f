/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/target.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/ascii.h"

/* RFC 3986, 2.2 and 2.3: unreserved and sub-delims, which may stand anywhere. */
static bool is_plain(char c)
{
	return ascii_alnum(c) || (c && strchr("-._~!$&'()*+,;=", c));
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that %XX at text stands for; -1: there is none. */
static int escaped(const char *text, size_t len)
{
	int high, low;

	if (len < 3 || text[0] != '%')
		return -1;
	high = hex_value(text[1]);
	low = hex_value(text[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Whether all of the text is plain, %XX without a control character, or one of these. */
static bool consists_of(const char *text, size_t len, const char *more)
{
	size_t i;

	for (i = 0; i < len; i++) {
		int byte = escaped(text + i, len - i);

		if (byte >= 0) {
			if (byte < ' ' || byte == 0x7f)
				return false;
			i += 2;
		} else if (!text[i] || (!is_plain(text[i]) && !strchr(more, text[i]))) {
			return false;
		}
	}
	return true;
}

static bool is_port(const char *text, size_t len)
{
	unsigned int port = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = 10 * port + (unsigned int)(text[i] - '0');
		if (port > UINT16_MAX)
			return false;
	}
	return true;
}

/* An address in brackets. Only its letters are checked: nobody connects to it here. */
static bool is_literal(const char *text, size_t len)
{
	size_t i;

	for (i = 1; i + 1 < len; i++)
		if (!is_plain(text[i]) && text[i] != ':')
			return false;
	return len > 2 && text[len - 1] == ']';
}

bool target_is_host(const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len), *bracket = memchr(text, ']', len);
	size_t host = len;

	/* Colons in brackets are the address's. */
	if (colon && (!bracket || colon > bracket)) {
		host = (size_t)(colon - text);
		if (!is_port(colon + 1, len - host - 1))
			return false;
	}
	if (host && text[0] == '[')
		return is_literal(text, host);
	return consists_of(text, host, "");
}

/* Decodes what consists_of() has checked. */
static char *decode(const char *text, size_t len)
{
	char *path = malloc(len + 1);
	size_t i, out = 0;

	if (!path)
		return NULL;
	for (i = 0; i < len; i++) {
		int byte = escaped(text + i, len - i);

		path[out++] = byte >= 0 ? (char)byte : text[i];
		i += byte >= 0 ? 2 : 0;
	}
	path[out] = '\0';
	return path;
}

/* "/path?query", or "?query" or nothing behind an authority. */
static int parse_path(const char *text, char **path)
{
	size_t len = strcspn(text, "?");
	const char *query = text[len] ? text + len + 1 : "";

	if (!consists_of(text, len, "/:@") || !consists_of(query, strlen(query), "/:@?[]"))
		return -EINVAL;
	*path = len ? decode(text, len) : strdup("/");
	return *path ? 0 : -ENOMEM;
}

static int parse_absolute(const char *method, const char *text, char **path)
{
	size_t scheme = strncasecmp(text, "http://", 7) == 0	? 7
			: strncasecmp(text, "https://", 8) == 0 ? 8
								: 0;
	size_t len = strcspn(text + scheme, "/?");

	/* A user in it is refused: it may be there to deceive (RFC 9110, 4.2.4). */
	if (!scheme || !len || text[scheme] == ':' || !target_is_host(text + scheme, len))
		return -EINVAL;
	text += scheme + len;
	if (!*text && strcmp(method, "OPTIONS") == 0) {
		*path = strdup("*");
		return *path ? 0 : -ENOMEM;
	}
	return parse_path(text, path);
}

int target_parse(const char *method, const char *target, char **path)
{
	bool connect = strcmp(method, "CONNECT") == 0;
	size_t len = strlen(target);
	const char *colon;

	if (connect) {
		colon = strrchr(target, ':');
		if (!colon || colon == target || !colon[1] || !target_is_host(target, len))
			return -EINVAL;
	} else if (strcmp(target, "*") == 0) {
		if (strcmp(method, "OPTIONS") != 0)
			return -EINVAL;
	} else {
		return target[0] == '/' ? parse_path(target, path)
					: parse_absolute(method, target, path);
	}
	*path = strdup(connect ? "" : target);
	return *path ? 0 : -ENOMEM;
}
