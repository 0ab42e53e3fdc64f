/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/line_ends.h"

#include <string.h>

#define CRLF 2

void line_ends_begin(struct line_ends *ends, const char *method, const char *target,
		     size_t target_len, const char *version)
{
	ends->begin = (uintptr_t)method;
	ends->next = (uintptr_t)version + strlen(version) + CRLF;
	/* One space between them. */
	ends->wrong = (uintptr_t)target != (uintptr_t)method + strlen(method) + 1 ||
		      (uintptr_t)version != (uintptr_t)target + target_len + 1;
}

void line_ends_header(struct line_ends *ends, const char *name, const char *value)
{
	/* A colon follows the name, and perhaps spaces. */
	ends->wrong |= (uintptr_t)name != ends->next ||
		       (uintptr_t)value < (uintptr_t)name + strlen(name) + 1;
	ends->next = (uintptr_t)value + strlen(value) + CRLF;
}

bool line_ends_right(const struct line_ends *ends, size_t size)
{
	return !ends->wrong && ends->next + CRLF == ends->begin + size;
}
