/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The components of a cgroup's path, which are read where they stand. */
#ifndef BRAMBLE_CGROUP_PART_H
#define BRAMBLE_CGROUP_PART_H

#include <stdbool.h>
#include <string.h>

/* Names that more than one rule knows. */
#define KUBEPODS      "kubepods"
#define PODMAN_PARENT "libpod_parent"

/* A piece of the path; not NUL-terminated. */
struct part {
	const char *text;
	size_t len;
};

static inline bool part_is(struct part part, const char *text)
{
	return part.len == strlen(text) && memcmp(part.text, text, part.len) == 0;
}

static inline bool part_ends(struct part part, const char *suffix)
{
	size_t len = strlen(suffix);

	return part.len >= len && memcmp(part.text + part.len - len, suffix, len) == 0;
}

static inline bool part_starts(struct part part, const char *prefix)
{
	size_t len = strlen(prefix);

	return part.len >= len && memcmp(part.text, prefix, len) == 0;
}

/* Takes the suffix off, if it is there. */
static inline bool part_chop(struct part *part, const char *suffix)
{
	if (!part_ends(*part, suffix))
		return false;
	part->len -= strlen(suffix);
	return true;
}

/* The next component of the path, which is never empty or "."; moves the cursor behind it. */
static inline bool next_part(const char **cursor, struct part *part)
{
	do {
		part->text = *cursor + strspn(*cursor, "/");
		part->len = strcspn(part->text, "/");
		*cursor = part->text + part->len;
	} while (part_is(*part, "."));
	return part->len > 0;
}

static inline bool is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

#endif
