/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Durations as an operator writes them: 250ms, 5m, 1h30m.
 */
#ifndef BRAMBLE_DURATION_H
#define BRAMBLE_DURATION_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a duration as Prometheus writes it: whole numbers with the units d, h, m, s, ms, us, each
 * at most once and in this order; or 0. Returns 0, -EINVAL if it is not a duration, -ERANGE if it
 * is 2^63 ns or more.
 */
int duration_parse(const char *text, uint64_t *ns);

/* Writes a duration as duration_parse() reads it; less than 1 us is not shown. */
void duration_format(uint64_t ns, char *out, size_t size);

#endif
