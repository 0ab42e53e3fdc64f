/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/kubelet_url.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/slice.h"

#define PREFIX	      "https://"
#define HOST_MAX      253
#define HOST_CHARS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
#define ADDRESS_CHARS "0123456789abcdefABCDEF:."
#define BAD_PORT      "the port is not a number from 1 to 65535"

static bool is_port(struct slice port)
{
	uint64_t number;

	return port.len <= 5 && slice_number(port, 65535, &number) && number >= 1;
}

/* An IPv6 address, perhaps with "%" or "%25" and the interface it is on. Splits it. */
static bool is_address(struct slice whole, struct slice *address, struct slice *zone)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (slice_cut(&whole, '%', address)) {
		slice_drop_prefix(&whole, "25");
		if (!whole.len || whole.len >= IF_NAMESIZE || !slice_only(whole, HOST_CHARS))
			return false;
	}
	*zone = whole;
	return slice_only(*address, ADDRESS_CHARS) && slice_copy(*address, text, sizeof(text)) &&
	       inet_pton(AF_INET6, text, &parsed) == 1;
}

/* Writes nothing for an empty zone or port. */
static void write_url(char url[KUBELET_URL_MAX], bool brackets, struct slice host,
		      struct slice zone, struct slice port)
{
	snprintf(url, KUBELET_URL_MAX, PREFIX "%s%.*s%s%.*s%s%s%.*s", brackets ? "[" : "",
		 (int)host.len, host.at, zone.len ? "%25" : "", (int)zone.len, zone.at,
		 brackets ? "]" : "", port.len ? ":" : "", (int)port.len, port.at);
}

/* [ADDRESS] or [ADDRESS]:PORT, without the first bracket */
static const char *read_brackets(struct slice rest, char url[KUBELET_URL_MAX])
{
	struct slice whole, address, zone;

	if (!slice_cut(&rest, ']', &whole))
		return "the bracket is not closed";
	if (!is_address(whole, &address, &zone))
		return "there is no IPv6 address in the brackets";
	if (rest.len && (!slice_drop_prefix(&rest, ":") || !is_port(rest)))
		return BAD_PORT;
	write_url(url, true, address, zone, rest);
	return NULL;
}

/* An address without brackets. It has two or more colons. */
static const char *read_bare(struct slice rest, char url[KUBELET_URL_MAX])
{
	struct slice host = rest, address, zone, port;

	slice_cut_last(&host, ':', &port);
	if (is_address(host, &address, &zone)) {
		if (!is_port(port))
			return BAD_PORT;
	} else if (is_address(rest, &address, &zone)) {
		port = slice_of("");
	} else {
		return "the host is neither a name nor an address";
	}
	write_url(url, true, address, zone, port);
	return NULL;
}

const char *kubelet_url_read(const char *text, char url[KUBELET_URL_MAX])
{
	struct slice rest = slice_of(text), host, port;
	bool has_port;

	if (!slice_drop_prefix(&rest, PREFIX))
		return "it does not begin with https://";
	slice_drop_suffix(&rest, "/");
	if (slice_drop_prefix(&rest, "["))
		return read_brackets(rest, url);
	port = rest;
	has_port = slice_cut(&port, ':', &host);
	if (slice_has(port, ':'))
		return read_bare(rest, url);
	if (!host.len)
		return "there is no host";
	if (!slice_only(host, HOST_CHARS) || host.len > HOST_MAX)
		return "the host is neither a name nor an address, or something follows the port";
	if (has_port && !is_port(port))
		return BAD_PORT;
	write_url(url, false, host, slice_of(""), port);
	return NULL;
}

bool kubelet_url_is_name(const char *text)
{
	struct slice name = slice_of(text);

	return name.len && name.len <= HOST_MAX && slice_only(name, HOST_CHARS);
}

uint16_t kubelet_url_port(const char *text)
{
	char url[KUBELET_URL_MAX];
	struct slice host, port;

	if (kubelet_url_read(text, url))
		return 0;
	host = slice_of(url);
	slice_drop_prefix(&host, PREFIX);
	/* What follows an address in brackets, or a name. */
	if (!slice_cut_last(&host, ':', &port) || slice_has(port, ']') || !port.len)
		return 443;
	return (uint16_t)strtoul(port.at, NULL, 10);
}
