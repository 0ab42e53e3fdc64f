/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Extended regular expressions that users write, within bounds. */
#ifndef BRAMBLE_PATTERN_H
#define BRAMBLE_PATTERN_H

#include <regex.h>
#include <stddef.h>

/* The longest expression, in bytes. */
#define PATTERN_MAX	    4096

/*
 * How many bytes the repeats of an expression may add when they are written out: a{3} adds "aa".
 * The C library writes them out, and needs memory that grows with the square of that: some 40 MiB
 * for this bound. Without it, four nested repeats take all memory there is.
 */
#define PATTERN_REPEATS_MAX 1000

/* The C library's parser calls itself for each parenthesis. */
#define PATTERN_DEPTH_MAX   50

/*
 * Compiles an expression without subexpressions (REG_EXTENDED, REG_NOSUB). Returns 0; -EINVAL, with
 * what is wrong in reason, as "not a regular expression: ..."; or -ENOMEM. Then there is nothing
 * for regfree().
 */
int pattern_compile(regex_t *regex, const char *expression, char *reason, size_t reason_size);

#endif
