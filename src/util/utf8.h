/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UTF-8, which names of cgroups and files need not be. Any thread. */
#ifndef BRAMBLE_UTF8_H
#define BRAMBLE_UTF8_H

#include <stddef.h>

/* The bytes of the character at text, 0 if it is none: RFC 3629, section 4. */
size_t utf8_len(const char *text);

/* Puts a ? in the place of each byte that belongs to no character. */
void utf8_clean(char *text);

#endif
