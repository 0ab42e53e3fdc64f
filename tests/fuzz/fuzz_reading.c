/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Any bytes as a reading of the API, compared with itself and with an empty one, at every level. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/diagnose.h"
#include "top/columns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct reading *reading, const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	return reading_parse(reading, text, size);
}

static void use(const struct rows *rows)
{
	struct buf sentence = {0};
	struct findings findings;
	char text[FORMAT_SIZE];
	size_t i;
	int id;

	if (findings_find(rows, NULL, &findings))
		abort();
	for (i = 0; i < rows->count; i++) {
		finding_sentence(&sentence, &findings.list[i]);
		for (id = 0; id < COLUMNS_ALL; id++)
			column_format(rows, &rows->rows[i], (enum column_id)id, text);
	}
	findings_free(&findings);
	buf_free(&sentence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char empty[] = "{\"time_seconds\":-1e300,\"containers\":[]}";
	struct reading before, now;
	struct rows rows;
	int level;

	if (parse(&before, (const uint8_t *)empty, sizeof(empty) - 1))
		abort();
	if (parse(&now, data, size) == 0) {
		for (level = 0; level < ROW_LEVELS; level++) {
			if (rows_make(&before, &now, (enum row_level)level, &rows) == 0) {
				columns_sort(&rows, COLUMN_WAIT, level & 1);
				use(&rows);
			}
			rows_free(&rows);
		}
	}
	reading_free(&before);
	reading_free(&now);
	return 0;
}
