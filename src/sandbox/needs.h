/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the program still has to do once it has started: the files it will read, the ports it will
 * connect to, and so on. Each part of the program adds its own. The sandbox then takes away
 * everything else.
 */
#ifndef BRAMBLE_SANDBOX_NEEDS_H
#define BRAMBLE_SANDBOX_NEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may be done below a directory, or with a file. */
enum sandbox_access {
	SANDBOX_LIST = 1 << 0,	 /* read directories */
	SANDBOX_READ = 1 << 1,	 /* read files */
	SANDBOX_REMOVE = 1 << 2, /* unlink files */
};

struct sandbox_path {
	char *path;
	unsigned int access; /* enum sandbox_access */
};

#define SANDBOX_PORTS_MAX 4

/* All zeros: nothing but what every process may do. */
struct sandbox_needs {
	struct sandbox_path *paths;
	size_t path_count;
	uint16_t ports[SANDBOX_PORTS_MAX]; /* TCP ports that it connects to */
	size_t port_count;
	int map_fd;    /* of one BPF map of the probe; 0: none */
	bool loads;    /* it may have to load and attach BPF programs later */
	bool terminal; /* it draws on a terminal */
	bool failed;   /* there was no memory for one of them */
};

/*
 * Adds a file or directory, and what is below it. It need not exist: then nothing is allowed there.
 * The path is copied. NULL and "" are ignored.
 */
void sandbox_need(struct sandbox_needs *needs, const char *path, unsigned int access);

/*
 * The same for a directory that may be made later, or that something may be mounted on: for
 * Landlock that is another one. So the nearest one above it is added, too, but not the root.
 */
void sandbox_need_later(struct sandbox_needs *needs, const char *path, unsigned int access);

/*
 * Adds a file that may be replaced by another one while the program runs: the directory it is in
 * and, if it is a symbolic link, the directory of the file that it leads to. The next one may need
 * the same capability to be read as this one.
 */
void sandbox_need_file(struct sandbox_needs *needs, const char *path);

/*
 * Adds the paths that match a pattern of glob(7) now, and belong to the user whose directory is in
 * place of its first "*": a user's link to the root does not make all files readable.
 */
void sandbox_need_matching(struct sandbox_needs *needs, const char *pattern, unsigned int access);

/* Adds what a look-up of a host's name reads. */
void sandbox_need_names(struct sandbox_needs *needs);

/* Adds a port; ignored if there are too many, or if it is 0. */
void sandbox_need_port(struct sandbox_needs *needs, uint16_t port);

void sandbox_needs_free(struct sandbox_needs *needs);

#endif
