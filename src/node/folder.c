/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/folder.h"

#include <dirent.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void folder_each(const char *dir, const char *prefix, folder_fn each, void *context)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int i, count = scandir(dir, &entries, NULL, versionsort);

	for (i = 0; i < count; i++) {
		if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0 &&
		    (size_t)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name) <
			    sizeof(path))
			each(context, path, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}
