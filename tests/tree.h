/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A directory of files for one test, to stand for another machine's /proc, /sys and so on. */
#ifndef BRAMBLE_TEST_TREE_H
#define BRAMBLE_TEST_TREE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char tree_root[64];

/* Makes an empty tree. */
static inline int tree_make(void)
{
	snprintf(tree_root, sizeof(tree_root), "/tmp/bramble-test-XXXXXX");
	return mkdtemp(tree_root) ? 0 : -1;
}

/* Writes a file, and makes the directories above it. "%R" in the text stands for the root. */
static inline void tree_put(const char *path, const char *text)
{
	char full[512], *slash;
	const char *mark;
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", tree_root, path);
	for (slash = full + strlen(tree_root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	assert_non_null(file);
	while ((mark = strstr(text, "%R"))) {
		fprintf(file, "%.*s%s", (int)(mark - text), text, tree_root);
		text = mark + 2;
	}
	fputs(text, file);
	fclose(file);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type,
				  struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Removes a file or a directory with all in it; "" is the whole tree. */
static inline int tree_remove(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", tree_root, path);
	return nftw(full, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
