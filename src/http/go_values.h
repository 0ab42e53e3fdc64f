/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads plain (unquoted) scalars of YAML in the same way as the Prometheus exporter-toolkit: words
 * and numbers of YAML 1.1, as Go's yaml.v2 resolves them, and the durations of Go's
 * time.ParseDuration().
 */
#ifndef BRAMBLE_GO_VALUES_H
#define BRAMBLE_GO_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether it is nothing, "~" or "null". Then the key counts as missing. */
bool go_is_null(const char *text);

/* "true", "yes", "on", "y" and their opposites, in lower case, capitals or with one capital.
 * Returns 0 or -EINVAL. */
int go_bool_parse(const char *text, bool *value);

/* An integer: decimal, 0x, 0b, 0o or 0 before octal digits, "_" between digits; or a number with
 * a fraction or exponent, which is cut. Returns 0, -EINVAL, or -ERANGE beyond 63 bits. */
int go_int_parse(const char *text, int64_t *value);

/* "1h15m30.5s", "300ms", "-1.5h": units ns, us (also with the sign for micro), ms, s, m, h in any
 * order, fractions, a sign; or "0". Returns 0, -EINVAL, or -ERANGE beyond 63 bits. */
int go_duration_parse(const char *text, int64_t *ns);

#endif
