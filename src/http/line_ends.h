/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds out whether all lines of a request's head ended in CR LF, and none was folded or had a NUL.
 *
 * libmicrohttpd before 0.9.77 takes a bare LF for the end of a line, joins folded lines and cuts
 * lines at a NUL, and tells nobody (get_next_header_line() and process_broken_line() in its
 * connection.c). The strings that it passes on lie in its read buffer, where they came, and it puts
 * NULs in place of what was between them. So between the end of a line's last string and the next
 * line's first there are two bytes for CR LF, one for LF, and others after a NUL or a folded line.
 * Only addresses are compared here. Later versions refuse all this by themselves.
 */
#ifndef BRAMBLE_LINE_ENDS_H
#define BRAMBLE_LINE_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_ends {
	uintptr_t begin, next; /* of the head, and where the next line must begin */
	bool wrong;
};

/* The request line. The target has this many bytes; it may have been changed meanwhile. */
void line_ends_begin(struct line_ends *ends, const char *method, const char *target,
		     size_t target_len, const char *version);

/* The next header, in the order in which they came. */
void line_ends_header(struct line_ends *ends, const char *name, const char *value);

/* Whether all was right. The head has size bytes, with the empty line at its end. */
bool line_ends_right(const struct line_ends *ends, size_t size);

#endif
