/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/workload.h"

#include <string.h>

#define RANDOM_CHARS	"bcdfghjklmnpqrstvwxz2456789"
#define SUFFIX_LEN	5
#define HASH_LEN_MIN	6 /* of the 10 digits that 32 bits have at most, encoded */
#define HASH_LEN_MAX	10
#define ORDINAL_LEN_MAX 4

/* The length of the last part, behind the last hyphen of the first len characters; 0: no hyphen. */
static size_t last_part(const char *name, size_t len)
{
	size_t part = 0;

	while (part < len && name[len - 1 - part] != '-')
		part++;
	/* Something must stay in front of the hyphen. */
	return part + 1 < len ? part : 0;
}

static int is_random(const char *text, size_t len, const char *chars)
{
	return strspn(text, chars) >= len;
}

size_t workload_name_len(const char *pod)
{
	size_t len = strlen(pod), part = last_part(pod, len);

	if (part && part <= ORDINAL_LEN_MAX && is_random(pod + len - part, part, "0123456789"))
		return len - part - 1;
	if (part != SUFFIX_LEN || !is_random(pod + len - part, part, RANDOM_CHARS))
		return len;
	len -= part + 1;
	part = last_part(pod, len);
	if (part >= HASH_LEN_MIN && part <= HASH_LEN_MAX &&
	    is_random(pod + len - part, part, RANDOM_CHARS))
		len -= part + 1;
	return len;
}
