/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/slice.h"

struct host_port {
	char host[256]; /* empty: any */
	char port[6];
	bool brackets;
};

/* Splits HOST:PORT. Returns NULL, or what is wrong with it. */
static const char *split(const char *text, struct host_port *to)
{
	struct slice host = slice_of(text), port;
	uint64_t number;

	if (!slice_cut_last(&host, ':', &port))
		return "there is no port";
	if (!slice_number(port, 65535, &number) || !slice_copy(port, to->port, sizeof(to->port)))
		return "the port is not a number from 0 to 65535";
	to->brackets = slice_drop_prefix(&host, "[");
	if (to->brackets && (!slice_drop_suffix(&host, "]") || host.len < 2))
		return "the bracket is not closed before the port";
	if (!to->brackets && slice_has(host, ':'))
		return "an IPv6 address is written in brackets";
	if (!slice_copy(host, to->host, sizeof(to->host)))
		return "the host is too long";
	return NULL;
}

/* Copies the addresses of this family that getaddrinfo() found. */
static int take(struct address_list *list, const struct addrinfo *found, int family)
{
	for (; found; found = found->ai_next) {
		struct address *items;

		if (found->ai_family != family)
			continue;
		items = realloc(list->items, (list->count + 1) * sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
		items += list->count++;
		*items = (struct address){.len = found->ai_addrlen};
		memcpy(&items->sockaddr, found->ai_addr, found->ai_addrlen);
	}
	return 0;
}

static int resolve(const struct host_port *from, struct address_list *list, const char **reason)
{
	struct addrinfo hints = {
		.ai_family = from->brackets ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV | (from->brackets ? AI_NUMERICHOST : 0),
	};
	struct addrinfo *found = NULL;
	int err;

	list->any = !from->host[0];
	err = getaddrinfo(list->any ? NULL : from->host, from->port, &hints, &found);
	if (err) {
		*reason = gai_strerror(err);
		return err == EAI_MEMORY ? -ENOMEM : -EADDRNOTAVAIL;
	}
	err = take(list, found, AF_INET6);
	if (!err)
		err = take(list, found, AF_INET);
	freeaddrinfo(found);
	return err;
}

int address_parse(const char *text, struct address_list *list, char *error, size_t error_size)
{
	struct host_port parts = {0};
	const char *reason;
	int err;

	*list = (struct address_list){0};
	reason = split(text, &parts);
	if (reason) {
		snprintf(error, error_size,
			 "address \"%s\": %s; write :9810, 127.0.0.1:9810 or [::1]:9810", text,
			 reason);
		return -EINVAL;
	}
	reason = "out of memory";
	err = resolve(&parts, list, &reason);
	if (err) {
		snprintf(error, error_size, "address \"%s\": %s: %s", text, parts.host, reason);
		address_list_free(list);
	}
	return err;
}

void address_list_free(struct address_list *list)
{
	free(list->items);
	*list = (struct address_list){0};
}

unsigned int address_port(const struct address *address)
{
	const struct sockaddr_storage *any = &address->sockaddr;

	return ntohs(any->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)any)->sin6_port
						: ((const struct sockaddr_in *)any)->sin_port);
}

void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
	char host[64] = "?", port[8] = "?";
	bool v6 = address->sockaddr.ss_family == AF_INET6;

	if (getnameinfo((const struct sockaddr *)&address->sockaddr, address->len, host,
			sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(host, sizeof(host), "?");
	snprintf(out, ADDRESS_TEXT_MAX, "%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}
