/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"d", UINT64_C(86400) * 1000000000},
	{"h", UINT64_C(3600) * 1000000000},
	{"m", UINT64_C(60) * 1000000000},
	{"s", 1000000000},
	{"ms", 1000000},
	{"us", 1000},
};

#define UNITS ARRAY_SIZE(units)

/* Reads digits. Returns where they end, or NULL if there are none or too many. */
static const char *read_digits(const char *p, uint64_t *number)
{
	const char *start = p;

	*number = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (*number > INT64_MAX / 10 - 1)
			return NULL;
		*number = *number * 10 + (uint64_t)(*p - '0');
	}
	return p == start ? NULL : p;
}

/* The unit p begins with, of those from next on. UNITS if it is none of them. */
static size_t read_unit(const char *p, size_t next)
{
	size_t len = strspn(p, "dhmsu");

	while (next < UNITS &&
	       (strlen(units[next].name) != len || memcmp(units[next].name, p, len) != 0))
		next++;
	return next;
}

int duration_parse(const char *text, uint64_t *ns)
{
	const char *p = text;
	uint64_t number, sum = 0;
	size_t unit = 0;

	if (strcmp(text, "0") == 0) {
		*ns = 0;
		return 0;
	}
	do {
		p = read_digits(p, &number);
		if (!p)
			return -EINVAL;
		unit = read_unit(p, unit);
		if (unit == UNITS)
			return -EINVAL;
		if (number > ((uint64_t)INT64_MAX - sum) / units[unit].ns)
			return -ERANGE;
		sum += number * units[unit].ns;
		p += strlen(units[unit].name);
		unit++;
	} while (*p);
	*ns = sum;
	return 0;
}

void duration_format(uint64_t ns, char *out, size_t size)
{
	size_t used = 0, i;

	snprintf(out, size, "0");
	for (i = 0; i < UNITS && used < size; i++) {
		uint64_t number = ns / units[i].ns;

		ns %= units[i].ns;
		if (number)
			used += (size_t)snprintf(out + used, size - used, "%" PRIu64 "%s", number,
						 units[i].name);
	}
}
