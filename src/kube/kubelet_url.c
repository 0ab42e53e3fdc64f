/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/kubelet_url.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX	      "https://"
#define HOST_MAX      253
#define HOST_CHARS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define ADDRESS_CHARS "0123456789abcdefABCDEF:."

/* A part of the text. */
struct part {
	const char *at;
	size_t len;
};

static bool is_port(struct part part)
{
	char text[6];

	if (!part.len || part.len >= sizeof(text) || strspn(part.at, "0123456789") < part.len)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)part.len, part.at);
	return strtoul(text, NULL, 10) >= 1 && strtoul(text, NULL, 10) <= 65535;
}

/* An IPv6 address, perhaps with "%" or "%25" and the interface it is on. Splits it. */
static bool is_address(struct part part, struct part *address, struct part *zone)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	const char *percent = memchr(part.at, '%', part.len);

	*address = part;
	*zone = (struct part){NULL, 0};
	if (percent) {
		address->len = (size_t)(percent - part.at);
		zone->at = percent + (strncmp(percent, "%25", 3) == 0 ? 3 : 1);
		zone->len = (size_t)(part.at + part.len - zone->at);
		if (!zone->len || zone->len >= IF_NAMESIZE ||
		    strspn(zone->at, HOST_CHARS) < zone->len)
			return false;
	}
	if (address->len >= sizeof(text) || strspn(address->at, ADDRESS_CHARS) < address->len)
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)address->len, address->at);
	return inet_pton(AF_INET6, text, &parsed) == 1;
}

static void write_url(char url[KUBELET_URL_MAX], bool brackets, struct part host, struct part zone,
		      struct part port)
{
	snprintf(url, KUBELET_URL_MAX, PREFIX "%s%.*s%s%.*s%s%s%.*s", brackets ? "[" : "",
		 (int)host.len, host.at, zone.len ? "%25" : "", (int)zone.len, zone.at ?: "",
		 brackets ? "]" : "", port.len ? ":" : "", (int)port.len, port.at ?: "");
}

/* [ADDRESS] or [ADDRESS]:PORT */
static const char *read_brackets(struct part rest, char url[KUBELET_URL_MAX])
{
	const char *end = memchr(rest.at, ']', rest.len);
	struct part address, zone, port = {NULL, 0};

	if (!end)
		return "the bracket is not closed";
	if (!is_address((struct part){rest.at + 1, (size_t)(end - rest.at) - 1}, &address, &zone))
		return "there is no IPv6 address in the brackets";
	if (end + 1 < rest.at + rest.len) {
		port = (struct part){end + 2, (size_t)(rest.at + rest.len - end) - 2};
		if (end[1] != ':' || !is_port(port))
			return "the port is not a number from 1 to 65535";
	}
	write_url(url, true, address, zone, port);
	return NULL;
}

/* An address without brackets: it has two colons or more. */
static const char *read_bare(struct part rest, const char *last, char url[KUBELET_URL_MAX])
{
	struct part host = {rest.at, (size_t)(last - rest.at)};
	struct part port = {last + 1, (size_t)(rest.at + rest.len - last) - 1};
	struct part address, zone;

	if (is_address(host, &address, &zone)) {
		if (!is_port(port))
			return "the port is not a number from 1 to 65535";
	} else if (is_address(rest, &address, &zone)) {
		port = (struct part){NULL, 0};
	} else {
		return "the host is neither a name nor an address";
	}
	write_url(url, true, address, zone, port);
	return NULL;
}

const char *kubelet_url_read(const char *text, char url[KUBELET_URL_MAX])
{
	struct part rest, host, port = {NULL, 0}, no_zone = {NULL, 0};
	const char *first, *last;

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return "it does not begin with https://";
	rest.at = text + strlen(PREFIX);
	rest.len = strlen(rest.at);
	if (rest.len && rest.at[rest.len - 1] == '/')
		rest.len--;
	if (rest.len && rest.at[0] == '[')
		return read_brackets(rest, url);
	first = memchr(rest.at, ':', rest.len);
	last = memrchr(rest.at, ':', rest.len);
	if (first != last)
		return read_bare(rest, last, url);
	host = first ? (struct part){rest.at, (size_t)(first - rest.at)} : rest;
	if (!host.len)
		return "there is no host";
	if (strspn(host.at, HOST_CHARS) < host.len || host.len > HOST_MAX)
		return "the host is neither a name nor an address, or something follows the port";
	if (first)
		port = (struct part){first + 1, (size_t)(rest.at + rest.len - first) - 1};
	if (first && !is_port(port))
		return "the port is not a number from 1 to 65535";
	write_url(url, false, host, no_zone, port);
	return NULL;
}
