/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Readings of the API, made in a test: texts, and the rows of two of them. */
#ifndef TESTS_READINGS_H
#define TESTS_READINGS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/reading_json.h"
#include "diagnose/rows.h"

static struct reading reading_before, reading_now;
static struct rows rows;

/* Quotes are written as apostrophes. */
static inline int read_text(struct reading *reading, const char *text)
{
	char *copy = strdup(text), *c;

	assert_non_null(copy);
	for (c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return reading_parse(reading, copy, strlen(copy));
}

static inline void free_rows(void)
{
	rows_free(&rows);
	reading_free(&reading_before);
	reading_free(&reading_now);
}

/* The rows of two readings. */
static inline void make_rows_of(const char *before, const char *now, enum row_level level)
{
	free_rows();
	assert_int_equal(read_text(&reading_before, before), 0);
	assert_int_equal(read_text(&reading_now, now), 0);
	assert_int_equal(rows_make(&reading_before, &reading_now, level, &rows), 0);
}

/* The same, where all that does not say since when it counts began between the two. */
static inline void make_rows_begun(const char *before, const char *now, enum row_level level)
{
	size_t i;

	free_rows();
	assert_int_equal(read_text(&reading_before, before), 0);
	assert_int_equal(read_text(&reading_now, now), 0);
	for (i = 0; i < reading_now.count; i++)
		if (isnan(reading_now.entries[i].since_seconds))
			reading_now.entries[i].since_seconds = reading_now.time_seconds;
	assert_int_equal(rows_make(&reading_before, &reading_now, level, &rows), 0);
}

/* The rows of containers that began in these seconds. */
static inline void make_rows(int seconds, const char *containers)
{
	size_t size = strlen(containers) + 128;
	char *now = malloc(size);

	assert_non_null(now);
	snprintf(now, size, "{'time_seconds':%d,'containers':[%s]}", 100 + seconds, containers);
	make_rows_begun("{'time_seconds':100,'containers':[]}", now, ROW_LEVEL_CONTAINER);
	free(now);
}

static inline const struct row *row_of(const char *name)
{
	size_t i;

	for (i = 0; i < rows.count; i++)
		if (strcmp(rows.rows[i].name, name) == 0)
			return &rows.rows[i];
	fail_msg("no row %s", name);
	return NULL;
}

#endif
