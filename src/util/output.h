/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Standard output is the result of a command. If it cannot be written, that is an error. */
#ifndef BRAMBLE_OUTPUT_H
#define BRAMBLE_OUTPUT_H

#include <stdio.h>

/*
 * Opens standard streams that were closed when the program was started. Otherwise a file, socket or
 * map could get their number, and with it the data that is meant for them. Writing to a standard
 * output that was closed still fails, with EBADF. Call this before anything is opened.
 */
void output_open_standard(void);

/*
 * Writes out what is buffered. Returns 0. If this or an earlier write to the stream failed, logs
 * the reason and returns a negative errno. The stream's error is then cleared, so the reason is
 * logged once.
 */
int output_flush(FILE *out);

#endif
