/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Small text files of procfs, sysfs and cgroupfs. The kernel writes them anew each time they are
 * read from the beginning. So they are opened once and read often. An open file holds a page of
 * kernel memory after its first read (fs/seq_file.c). Any thread.
 */
#ifndef BRAMBLE_LIVEFILE_H
#define BRAMBLE_LIVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Opens dir/name for reading. Returns a descriptor, which the caller closes, or
 * a negative errno.
 */
int live_open(const char *dir, const char *name);

/*
 * Reads the file from its beginning into text, cut to size - 1 bytes and ended with a NUL. It uses
 * one system call: such a file comes whole, and asking for more would make the kernel write it a
 * second time. (Not for files with one record on each line, such as mountinfo, which come in
 * parts.) Returns the length or a negative errno: -ENODEV if the object of the file is gone.
 */
ssize_t live_read(int fd, char *text, size_t size);

/* Opens, reads and closes dir/name; the last newline is taken off. As live_read(). */
ssize_t live_read_once(const char *dir, const char *name, char *text, size_t size);

/* Reads a file that has one whole number, which may be negative. Returns 0 or a negative errno. */
int live_read_number(int fd, int64_t *number);

/* The same for a file that is not kept open. */
int live_read_number_once(const char *dir, const char *name, int64_t *number);

/*
 * The number that follows a word at the beginning of a line: "usage_usec 51" or
 * "MemTotal:   949444 kB". Returns false if there is no such line.
 */
bool line_number(const char *text, const char *word, uint64_t *number);

#endif
