/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/filter.h"

#include <errno.h>
#include <stdio.h>

#include "util/buf.h"
#include "util/pattern.h"

/* How much of an expression its error repeats. */
#define ECHO_MAX 200

/* Compiles the expression, to match whole names. */
static int compile(regex_t *regex, const struct family_pattern *pattern, char *error,
		   size_t error_size)
{
	struct buf whole = {0};
	char reason[256];
	int err;

	buf_printf(&whole, "^(%s)$", pattern->expression);
	err = buf_failed(&whole) ? -ENOMEM
				 : pattern_compile(regex, whole.data, reason, sizeof(reason));
	buf_free(&whole);
	if (err == -EINVAL)
		snprintf(error, error_size, "%s=%.*s: %s", pattern->flag, ECHO_MAX,
			 pattern->expression, reason);
	return err;
}

/* Drops the families that match, or those that do not. */
static int drop(struct family_filter *filter, const struct family_pattern *pattern, bool matching,
		char *error, size_t error_size)
{
	regex_t regex;
	int i, err;

	if (!pattern->expression)
		return 0;
	err = compile(&regex, pattern, error, error_size);
	if (err)
		return err;
	for (i = 0; i < FAMILIES; i++)
		if ((regexec(&regex, families[i].name, 0, NULL, 0) == 0) == matching)
			filter->dropped[i] = true;
	regfree(&regex);
	return 0;
}

int filter_set(struct family_filter *filter, const struct family_pattern *include,
	       const struct family_pattern *exclude, char *error, size_t error_size)
{
	int i, err;

	*filter = (struct family_filter){.dropped = {false}};
	err = drop(filter, include, false, error, error_size);
	err = err ?: drop(filter, exclude, true, error, error_size);
	for (i = 0; !err && i < FAMILIES; i++)
		if (!filter->dropped[i])
			return 0;
	if (!err)
		snprintf(error, error_size,
			 "%s%s%s: no family is left; docs/metrics.md lists their names",
			 include->expression ? include->flag : "",
			 include->expression && exclude->expression ? ", " : "",
			 exclude->expression ? exclude->flag : "");
	return err ?: -EINVAL;
}
