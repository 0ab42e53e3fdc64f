/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The components of a cgroup's path. */
#ifndef BRAMBLE_CGROUP_PART_H
#define BRAMBLE_CGROUP_PART_H

#include <stdbool.h>

#include "util/slice.h"

/* Names that more than one rule knows. */
#define KUBEPODS      "kubepods"
#define PODMAN_PARENT "libpod_parent"

/* Moves the next component of a path to *part. It is never empty or ".". False at the end. */
static inline bool next_part(struct slice *path, struct slice *part)
{
	bool found;

	do
		found = slice_next_word(path, '/', part);
	while (found && slice_is(*part, "."));
	return found;
}

#endif
