/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A verdict in words. Of what somebody waited for, it is the sentence of `top` (sentence.h). */
#ifndef BRAMBLE_TELLING_H
#define BRAMBLE_TELLING_H

#include "diagnose/verdict.h"
#include "util/buf.h"

/* What is wrong, in numbers: one sentence. */
void verdict_sentence(struct buf *out, const struct verdict *verdict);

/* What to do about it: one line, without a full stop. */
void verdict_advice(struct buf *out, const struct verdict *verdict);

/* Why it may be wrong. NULL: it is measured. */
const char *verdict_hint(const struct verdict *verdict);

#endif
