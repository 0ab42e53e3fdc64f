/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Says who waited, for what, and because of whom. Two readings of the API (docs/api.md) go in, a
 * ranked list of findings comes out. There is no terminal in it. A command that prints the worst
 * three pods in sentences:
 *
 *	struct reading before, now; // by reading_parse() or reading_of_scrape()
 *	struct rows rows;
 *	struct findings findings = {0};
 *	struct buf text = {0};
 *
 *	if (!rows_make(&before, &now, ROW_LEVEL_POD, &rows) &&
 *	    !findings_find(&rows, NULL, &findings))
 *		for (size_t i = 0; i < findings.count && i < 3; i++)
 *			finding_sentence(&text, &findings.list[i]);
 *	findings_free(&findings);
 *	rows_free(&rows);
 *
 * A caller that reads repeatedly gives the rows of containers of each interval to a history
 *(history_add()). With it, findings say since when a wait lasts.
 */
#ifndef BRAMBLE_DIAGNOSE_H
#define BRAMBLE_DIAGNOSE_H

#include "diagnose/finding.h"
#include "diagnose/history.h"
#include "diagnose/reading_json.h"
#include "diagnose/reading_scrape.h"
#include "diagnose/rows.h"
#include "diagnose/sentence.h"

struct findings {
	struct finding *list;
	size_t count;
};

/*
 * Makes a finding of each row: who waited most comes first, by name where two waited equally long.
 * Those at the end hardly waited; they may have kept others waiting. history: NULL, or what was
 * seen until now (history_waits_since()). The rows must outlive the findings. Returns 0, and the
 * caller gives *out to findings_free(), or -ENOMEM.
 */
int findings_find(const struct rows *rows, const struct history *history, struct findings *out);
void findings_free(struct findings *findings);

#endif
