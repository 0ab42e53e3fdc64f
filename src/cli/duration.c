/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/slice.h"

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

/* Finds a unit by its name, from next on. UNITS if there is none. */
static size_t find_unit(struct slice name, size_t next)
{
	while (next < UNITS && !slice_is(name, units[next].name))
		next++;
	return next;
}

int duration_parse(const char *text, uint64_t *ns)
{
	struct slice rest = slice_of(text);
	uint64_t number, sum = 0;
	size_t unit = 0;

	if (strcmp(text, "0") == 0) {
		*ns = 0;
		return 0;
	}
	do {
		if (!slice_number(slice_take(&rest, SLICE_DIGITS), INT64_MAX, &number))
			return -EINVAL;
		unit = find_unit(slice_take(&rest, "dhmsu"), unit);
		if (unit == UNITS)
			return -EINVAL;
		if (number > ((uint64_t)INT64_MAX - sum) / units[unit].ns)
			return -ERANGE;
		sum += number * units[unit].ns;
		unit++;
	} while (rest.len);
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
