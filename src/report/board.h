/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What kind of machine this is, without anything that its owner has named. One thread. */
#ifndef BRAMBLE_REPORT_BOARD_H
#define BRAMBLE_REPORT_BOARD_H

#include <stdio.h>

struct board {
	char model[128]; /* from the device tree; "not known" elsewhere, as on most PCs */
	char kernel[160];
	long page_size; /* bytes */
	long cpus;
};

/* Fills it in from procfs and uname(2). */
void board_read(const char *procfs, struct board *board);

/* Prints it as a list, with the memory, the clock, and what of the command line matters here. */
void board_print(const struct board *board, const char *procfs, const char *sysfs, FILE *out);

/* The name of a directory's file system: "ext4"; the number of another one, in hexadecimal
 * digits; empty if there is no such directory. */
void board_filesystem(const char *dir, char *name, size_t size);

#endif
