/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_WHY_PRINT_H
#define BRAMBLE_WHY_PRINT_H

#include <jansson.h>
#include <stdint.h>

#include "util/buf.h"

/* Of the node, so many findings are printed. */
#define WHY_WORST 3

/*
 * Writes the answer of GET /api/v1/why as text of 80 columns. now_wall_ns: CLOCK_REALTIME of the
 * answer's time_seconds. Returns 0, or -EINVAL if it is not such an answer.
 */
int why_print(const json_t *answer, uint64_t now_wall_ns, struct buf *out);

#endif
