/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where this machine keeps the kernel's command line, and what the user should write there.
 */
#ifndef BRAMBLE_NODE_BOOT_H
#define BRAMBLE_NODE_BOOT_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>

struct boot {
	bool raspberry_pi;
	char file[PATH_MAX]; /* to change; on a Pi, empty if it is not seen from here */
	char cmdline[4096];  /* of the running kernel; empty if it cannot be read */
};

/*
 * Reads procfs/device-tree/model and procfs/cmdline, and looks for the file
 * under the boot directory ("/boot").
 */
void boot_find(const char *procfs, const char *boot_dir, struct boot *boot);

/* Writes how to add a word to the command line of the kernel, as one sentence. */
void boot_remedy(const struct boot *boot, const char *word, char *out, size_t size);

/*
 * Writes how to turn on the memory controller. If something other than the command line turned it
 * off, writes nothing and returns false.
 */
bool boot_memory_remedy(const struct boot *boot, char *out, size_t size);

#endif
