/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_WHY_ANSWER_H
#define BRAMBLE_WHY_ANSWER_H

#include "diagnose/verdict.h"

/*
 * The answer of GET /api/v1/why, as docs/api.md says. who: whom it is about; NULL: the node.
 * Returns a string that the caller frees; NULL without memory.
 */
char *why_answer(const struct record *record, const struct verdicts *verdicts, const char *who);

#endif
