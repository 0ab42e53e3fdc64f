/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: series FILE sum NAME [LABEL=VALUE...]
 *        series FILE twice
 *
 * Reads metrics in Prometheus' text format. sum prints the sum of the series of that name that
 * have all these labels, or nothing if there are none. twice prints each series that stands there
 * more than once. awk does the same, but the tests look up hundreds of values, and most of a
 * machine's time went there.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MAX 65536

static char *line;
static size_t line_size;

static void die(const char *what)
{
	fprintf(stderr, "series: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Reads the next line that is a series, without its line end. Cuts it before its value. */
static const char *next_series(FILE *file)
{
	ssize_t len;
	char *space;

	while ((len = getline(&line, &line_size, file)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		space = strrchr(line, ' ');
		if (line[0] == '#' || !space)
			continue;
		*space = '\0';
		return space + 1;
	}
	return NULL;
}

/* Whether label="value" stands there. Values that need an escape are not looked for. */
static bool has_label(const char *labels, const char *label)
{
	size_t len = strlen(label);
	const char *at = labels;

	while ((at = strstr(at, label))) {
		if (strchr("{,", at[-1]) && (at[len] == ',' || at[len] == '}'))
			return true;
		at++;
	}
	return false;
}

/* LABEL=VALUE as it stands in a series: LABEL="VALUE". */
static char *quoted(const char *label)
{
	const char *value = strchr(label, '=');
	char *text;

	if (!value) {
		errno = EINVAL;
		die(label);
	}
	value++;
	if (asprintf(&text, "%.*s\"%s\"", (int)(value - label), label, value) < 0)
		die("asprintf");
	return text;
}

static void print_sum(FILE *file, const char *name, char **labels, int count)
{
	size_t len = strlen(name);
	const char *value;
	bool found = false;
	double sum = 0;
	int i;

	for (i = 0; i < count; i++)
		labels[i] = quoted(labels[i]);
	while ((value = next_series(file))) {
		if (strncmp(line, name, len) != 0 || (line[len] && line[len] != '{'))
			continue;
		for (i = 0; i < count && has_label(line + len, labels[i]);)
			i++;
		if (i < count)
			continue;
		sum += strtod(value, NULL);
		found = true;
	}
	if (found)
		printf("%.9f\n", sum);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_twice(FILE *file)
{
	static char *all[SERIES_MAX];
	size_t count = 0, i;

	while (next_series(file)) {
		if (count == SERIES_MAX) {
			errno = E2BIG;
			die("more series than are looked at");
		}
		all[count] = strdup(line);
		if (!all[count++])
			die("strdup");
	}
	qsort(all, count, sizeof(*all), compare);
	for (i = 1; i < count; i++)
		if (strcmp(all[i - 1], all[i]) == 0 && (i == 1 || strcmp(all[i - 2], all[i]) != 0))
			puts(all[i]);
}

int main(int argc, char **argv)
{
	FILE *file = argc > 2 ? fopen(argv[1], "r") : NULL;

	if (argc > 2 && !file)
		die(argv[1]);
	if (argc > 3 && strcmp(argv[2], "sum") == 0) {
		print_sum(file, argv[3], argv + 4, argc - 4);
	} else if (argc == 3 && strcmp(argv[2], "twice") == 0) {
		print_twice(file);
	} else {
		fprintf(stderr, "usage: series FILE sum NAME [LABEL=VALUE...]\n"
				"       series FILE twice\n");
		return 2;
	}
	return 0;
}
