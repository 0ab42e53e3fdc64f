/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The entries of a folder of sysfs. Any thread. */
#ifndef BRAMBLE_NODE_FOLDER_H
#define BRAMBLE_NODE_FOLDER_H

/* The entry's whole path, and its name. Both are good for the time of the call. */
typedef void (*folder_fn)(void *context, const char *path, const char *name);

/*
 * Calls each for the entries of dir whose names begin with prefix, in the order of their numbers:
 * hwmon2 before hwmon10. A folder that is not there has none.
 */
void folder_each(const char *dir, const char *prefix, folder_fn each, void *context);

#endif
