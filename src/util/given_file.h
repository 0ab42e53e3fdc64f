/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Files that an operator names. Only a regular file is taken, after symbolic links were followed:
 * opening or reading anything else may block for ever (a FIFO), never end (/dev/zero), or do
 * something (a watchdog). Any thread.
 */
#ifndef BRAMBLE_GIVEN_FILE_H
#define BRAMBLE_GIVEN_FILE_H

#include <stddef.h>

#include "util/buf.h"

/*
 * Reads a whole file of at most max bytes. Returns 0 or a negative errno: -EFBIG if it is longer,
 * -EISDIR for a directory, -EMEDIUMTYPE for what is neither that nor a regular file. On an error
 * *out is empty, and error has one line, "PATH: what is wrong".
 */
int given_file_read(const char *path, size_t max, struct buf *out, char *error, size_t error_size);

/* Whether it can be read, for those who leave the reading to a library. Results as above. */
int given_file_check(const char *path, size_t max, char *error, size_t error_size);

/* Room for what is wrong with a file. */
#define GIVEN_FILE_REASON_SIZE 128

/* The same. On an error reason has what is wrong, without the path. */
int given_file_look(const char *path, size_t max, char *reason, size_t reason_size);

#endif
