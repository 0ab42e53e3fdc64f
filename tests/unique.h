/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A writer for tests. It fails if a series comes twice, or a label twice in a series. It keeps only
 * the names of the series. Look them up with unique_has().
 */
#ifndef TESTS_UNIQUE_H
#define TESTS_UNIQUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/samples.h"

#define UNIQUE_MAX 512

struct unique {
	struct samples samples;
	size_t count;
	char series[UNIQUE_MAX][512]; /* name{a="x",b="y"} */
};

static inline void unique_begin(struct samples *samples)
{
	(void)samples;
}

static inline void unique_labels_differ(const struct sample *sample)
{
	size_t i, j;

	for (i = 0; i < sample->label_count; i++)
		for (j = 0; j < i; j++)
			if (strcmp(sample->labels[i].name, sample->labels[j].name) == 0)
				fail_msg("label %s comes twice", sample->labels[i].name);
}

static inline void unique_sample(struct samples *samples, const struct sample *sample)
{
	struct unique *unique = (struct unique *)samples; /* its first member */
	char *series = unique->series[unique->count];
	size_t i, size = sizeof(unique->series[0]);
	int len = snprintf(series, size, "%s{", samples->family->name);

	unique_labels_differ(sample);
	for (i = 0; i < sample->label_count; i++)
		len += snprintf(series + len, size - (size_t)len, "%s%s=\"%s\"", i ? "," : "",
				sample->labels[i].name, sample->labels[i].value);
	snprintf(series + len, size - (size_t)len, "}");
	for (i = 0; i < unique->count; i++)
		if (strcmp(unique->series[i], series) == 0)
			fail_msg("%s comes twice", series);
	assert_true(++unique->count < UNIQUE_MAX);
}

static const struct samples_writer unique_writer = {
	.begin = unique_begin,
	.sample = unique_sample,
	.end = unique_begin,
};

static inline void unique_start(struct unique *unique)
{
	memset(unique, 0, sizeof(*unique));
	unique->samples.writer = &unique_writer;
}

/* Whether there is such a series. */
static inline bool unique_has(const struct unique *unique, const char *series)
{
	size_t i;

	for (i = 0; i < unique->count; i++)
		if (strcmp(unique->series[i], series) == 0)
			return true;
	return false;
}

#endif
