/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/go_values.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/ascii.h"

#define NUMBER_MAX 64

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

bool go_is_null(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	return is_one_of(text, words, ARRAY_SIZE(words));
}

int go_bool_parse(const char *text, bool *value)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
					  "on",	  "On",	  "ON",	  "y",	 "Y"};
	static const char *const no[] = {"false", "False", "FALSE", "no", "No", "NO",
					 "off",	  "Off",   "OFF",   "n",  "N"};

	*value = is_one_of(text, yes, ARRAY_SIZE(yes));
	return *value || is_one_of(text, no, ARRAY_SIZE(no)) ? 0 : -EINVAL;
}

/* The digits of a number after its prefix, in the base that it says. */
static const char *skip_base(const char *digits, int *base)
{
	*base = 10;
	if (digits[0] != '0' || !digits[1])
		return digits;
	switch (digits[1]) {
	case 'x':
	case 'X':
		*base = 16;
		return digits + 2;
	case 'b':
	case 'B':
		*base = 2;
		return digits + 2;
	case 'o':
	case 'O':
		*base = 8;
		return digits + 2;
	default:
		*base = 8;
		return digits + 1;
	}
}

static int parse_float(const char *text, int64_t *value)
{
	char *end;
	double number;

	if (text[strspn(text, "0123456789.eE+-")] || !strpbrk(text, "0123456789"))
		return -EINVAL;
	number = strtod(text, &end);
	if (*end)
		return -EINVAL;
	/* 2^63 itself is a double. The greatest int64_t is not. */
	if (!(fabs(number) < 0x1p63))
		return -ERANGE;
	*value = (int64_t)number;
	return 0;
}

int go_int_parse(const char *text, int64_t *value)
{
	char plain[NUMBER_MAX], *end;
	const char *digits = plain, *start;
	size_t len = 0;
	int base;

	for (; *text; text++) {
		if (len + 1 == sizeof(plain))
			return -EINVAL;
		if (*text != '_')
			plain[len++] = *text;
	}
	plain[len] = '\0';
	if (*digits == '+' || *digits == '-')
		digits++;
	start = skip_base(digits, &base);
	errno = 0;
	if (ascii_alnum(*start)) {
		*value = strtoll(start, &end, base);
		if (!*end) {
			if (plain[0] == '-')
				*value = -*value;
			return -errno;
		}
	}
	return parse_float(plain, value);
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000}, /* the micro sign */
	{"\xce\xbcs", 1000}, /* the Greek letter mu */
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", INT64_C(60) * 1000000000},
	{"h", INT64_C(3600) * 1000000000},
};

/* The unit that a text begins with, up to the next number. 0 if it is not a unit. */
static int64_t take_unit(const char **text)
{
	size_t len = strcspn(*text, ".0123456789"), i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, *text, len) == 0) {
			*text += len;
			return units[i].ns;
		}
	}
	return 0;
}

/* The digits after a point, as a fraction. Digits beyond the precision of a double are ignored. */
static double take_fraction(const char **text)
{
	double digits = 0, scale = 1;

	for (; ascii_digit(**text); (*text)++) {
		if (scale >= 1e15)
			continue;
		digits = digits * 10 + (**text - '0');
		scale *= 10;
	}
	return digits / scale;
}

/* One number with its unit, rounded down to whole nanoseconds. */
static int take_part(const char **text, int64_t *ns)
{
	const char *start = *text;
	int64_t number = 0, unit;
	double fraction = 0;

	for (; ascii_digit(**text); (*text)++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, **text - '0', &number))
			return -ERANGE;
	if (**text == '.') {
		if (*text == start && !ascii_digit(start[1]))
			return -EINVAL;
		(*text)++;
		fraction = take_fraction(text);
	}
	if (*text == start)
		return -EINVAL;
	unit = take_unit(text);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(number, unit, &number) ||
	    __builtin_add_overflow(number, (int64_t)(fraction * (double)unit + 1e-6), ns))
		return -ERANGE;
	return 0;
}

int go_duration_parse(const char *text, int64_t *ns)
{
	bool negative = *text == '-';
	int64_t part;
	int err;

	*ns = 0;
	if (*text == '-' || *text == '+')
		text++;
	if (strcmp(text, "0") == 0)
		return 0;
	do {
		err = take_part(&text, &part);
		if (err)
			return err;
		if (__builtin_add_overflow(*ns, part, ns))
			return -ERANGE;
	} while (*text);
	if (negative)
		*ns = -*ns;
	return 0;
}
