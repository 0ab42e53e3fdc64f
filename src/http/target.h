/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The target of a request in its four forms (RFC 9112, section 3.2), by the grammar of RFC 3986.
 * One thing more is taken: brackets in the query, as browsers and curl send them ("?collect[]=x").
 */
#ifndef BRAMBLE_TARGET_H
#define BRAMBLE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path that is asked for. origin-form (/metrics?a=b) and absolute-form
 * (http://host:9810/metrics?a=b) give "/metrics", with %XX decoded; authority-form (host:9810),
 * which belongs to CONNECT alone, gives ""; asterisk-form, which belongs to OPTIONS alone, gives
 * "*", as does OPTIONS with an absolute-form that has neither path nor query. The caller frees it.
 *
 * Returns 0 and *path, or a negative errno: -EINVAL for anything else, also for %00 and other
 * control characters, and for what does not belong to the method; -ENOMEM.
 */
int target_parse(const char *method, const char *target, char **path);

/* Whether this is a host, and perhaps a port, as Host has them: "a", "a:1", "[::1]:1". It may be
 * empty. */
bool target_is_host(const char *text, size_t len);

#endif
