/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Addresses to listen on: ":9810", "0.0.0.0:9810", "[::1]:9810",
 * "localhost:9810".
 */
#ifndef BRAMBLE_ADDRESS_H
#define BRAMBLE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct address {
	struct sockaddr_storage sockaddr;
	socklen_t len;
};

struct address_list {
	struct address *items; /* owned: address_list_free() */
	size_t count;
	/*
	 * No host was given. The items are [::] and 0.0.0.0, as far as this machine has these
	 * families. A socket on [::] with IPV6_V6ONLY off serves both, so it is enough to bind the
	 * first that can be bound. Otherwise bind all of them.
	 */
	bool any;
};

/* "[", the longest host, "]:65535" and the NUL */
#define ADDRESS_TEXT_MAX 80

/*
 * Reads HOST:PORT. PORT is 0 to 65535 (0: the kernel chooses). HOST may be
 * empty, an IPv4 address, an IPv6 address in brackets, or a name, which is
 * looked up (and may block for as long as DNS takes).
 *
 * Returns 0; -EINVAL if the text is wrong, -EADDRNOTAVAIL if the name is
 * unknown, -ENOMEM. On an error, error holds one line without a newline and
 * the list is empty.
 */
int address_parse(const char *text, struct address_list *list, char *error, size_t error_size);

/* Frees a list. It is empty then. */
void address_list_free(struct address_list *list);

/* The port, in the machine's byte order. */
unsigned int address_port(const struct address *address);

/* Writes an address in the form address_parse() reads. */
void address_format(const struct address *address, char out[ADDRESS_TEXT_MAX]);

#endif
