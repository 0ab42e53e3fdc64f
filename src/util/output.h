/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Standard output as the result of a command: what could not be written is an error. */
#ifndef BRAMBLE_OUTPUT_H
#define BRAMBLE_OUTPUT_H

#include <stdio.h>

/*
 * Opens the standard streams that whoever started the program has closed, so that no file,
 * socket or map gets their number and with it what is meant for them. What is written to
 * a standard output that was closed still fails, with EBADF. To be called before anything is
 * opened.
 */
void output_open_standard(void);

/*
 * Writes out what is buffered. Returns 0, or, after the reason has been logged, a negative errno if
 * this or an earlier write to the stream failed. The stream has no error then, so that
 * the reason is logged once.
 */
int output_flush(FILE *out);

#endif
