/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_WHY_ASK_H
#define BRAMBLE_WHY_ASK_H

#include <stdint.h>

#include "util/buf.h"

/*
 * Asks the serve that listens on a socket (at most 107 bytes) for what is wrong with who, or with
 * the node (NULL), for at most a minute. Returns 0, and the caller frees what is in *reply; or a
 * negative errno, after the reason was logged.
 */
int why_ask(const char *socket, const char *who, uint64_t since_ns, struct buf *reply);

#endif
