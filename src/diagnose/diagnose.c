/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/diagnose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int rank(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void find_since(struct finding *finding, const struct rows *rows,
		       const struct history *history)
{
	int i;

	for (i = 0; i < WAIT_CAUSES; i++)
		if (finding->waits[i].share >= WAITS_LEAST)
			finding->waits[i].since_seconds = history_waits_since(
				history, rows, finding->row, (enum wait_cause)i);
}

int findings_find(const struct rows *rows, const struct history *history, struct findings *out)
{
	size_t i;

	*out = (struct findings){.list = calloc(rows->count + 1, sizeof(*out->list))};
	if (!out->list)
		return -ENOMEM;
	for (i = 0; i < rows->count; i++) {
		finding_make(rows, &rows->rows[i], &out->list[i]);
		if (history)
			find_since(&out->list[i], rows, history);
	}
	out->count = rows->count;
	qsort(out->list, out->count, sizeof(*out->list), rank);
	return 0;
}

void findings_free(struct findings *findings)
{
	free(findings->list);
	*findings = (struct findings){0};
}
