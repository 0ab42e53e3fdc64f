/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/filter.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>

#include "util/buf.h"

/* Compiles the expression of a flag, to match whole names. */
static int compile(regex_t *regex, const char *flag, const char *expression, char *error,
		   size_t error_size)
{
	struct buf whole = {0};
	char reason[128];
	int err;

	buf_printf(&whole, "^(%s)$", expression);
	err = buf_failed(&whole) ? REG_ESPACE
				 : regcomp(regex, whole.data, REG_EXTENDED | REG_NOSUB);
	buf_free(&whole);
	if (!err)
		return 0;
	if (err == REG_ESPACE)
		return -ENOMEM;
	regerror(err, NULL, reason, sizeof(reason));
	snprintf(error, error_size, "%s=%s: not a regular expression: %s", flag, expression,
		 reason);
	return -EINVAL;
}

/* Drops the families that match, or those that do not. */
static int drop(struct family_filter *filter, const char *flag, const char *expression,
		bool matching, char *error, size_t error_size)
{
	regex_t regex;
	int i, err;

	if (!expression)
		return 0;
	err = compile(&regex, flag, expression, error, error_size);
	if (err)
		return err;
	for (i = 0; i < FAMILIES; i++)
		if ((regexec(&regex, families[i].name, 0, NULL, 0) == 0) == matching)
			filter->dropped[i] = true;
	regfree(&regex);
	return 0;
}

int filter_set(struct family_filter *filter, const char *include, const char *exclude, char *error,
	       size_t error_size)
{
	int i, err;

	*filter = (struct family_filter){.dropped = {false}};
	err = drop(filter, "--metrics.include", include, false, error, error_size);
	err = err ?: drop(filter, "--metrics.exclude", exclude, true, error, error_size);
	for (i = 0; !err && i < FAMILIES; i++)
		if (!filter->dropped[i])
			return 0;
	if (!err)
		snprintf(error, error_size,
			 "--metrics.include, --metrics.exclude: no family is left; docs/metrics.md "
			 "lists their names");
	return err ?: -EINVAL;
}
