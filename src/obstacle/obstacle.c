/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "obstacle/obstacle.h"

#include <stdarg.h>
#include <stdio.h>

#include "obstacle/internal.h"

void obstacle_set(struct obstacle *out, const char *cause, const char *remedy)
{
	obstacle_cause(out, "%s", cause);
	obstacle_remedy(out, "%s", remedy);
}

void obstacle_cause(struct obstacle *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->cause, sizeof(out->cause), format, args);
	va_end(args);
	out->remedy[0] = '\0';
}

void obstacle_remedy(struct obstacle *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->remedy, sizeof(out->remedy), format, args);
	va_end(args);
}

void obstacle_vlog(enum log_level level, const struct obstacle *obstacle, const char *format,
		   va_list args)
{
	char object[512];

	vsnprintf(object, sizeof(object), format, args);
	log_at(level, "%s: %s%s%s", object, obstacle->cause, obstacle->remedy[0] ? "; " : "",
	       obstacle->remedy);
}

void obstacle_log(enum log_level level, const struct obstacle *obstacle, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	obstacle_vlog(level, obstacle, format, args);
	va_end(args);
}
