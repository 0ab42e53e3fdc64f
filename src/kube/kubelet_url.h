/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the kubelet is: https://HOST or https://HOST:PORT. */
#ifndef BRAMBLE_KUBELET_URL_H
#define BRAMBLE_KUBELET_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest host name (RFC 1035) or address with its zone, in a URL. */
#define KUBELET_URL_MAX 320

/*
 * Reads a URL as an operator or a manifest writes it. Writes it as a proper URL (RFC 3986, RFC
 * 6874): without a slash at its end, and with an IPv6 address in brackets. A manifest puts the
 * node's address before a port: https://fd00::5:10250 is port 10250 of fd00::5. So if the text
 * before the last colon is an address, the rest is the port. Otherwise the whole text is an
 * address.
 *
 * Returns NULL, or what is wrong with it, for people; static.
 */
const char *kubelet_url_read(const char *text, char url[KUBELET_URL_MAX]);

/* Whether it is the name of a host, as a URL may have it. */
bool kubelet_url_is_name(const char *text);

/* The port of a URL that kubelet_url_read() takes: 443 if it has none. 0 if it does not take it. */
uint16_t kubelet_url_port(const char *text);

#endif
