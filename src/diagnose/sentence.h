/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_SENTENCE_H
#define BRAMBLE_SENTENCE_H

#include "diagnose/finding.h"
#include "util/buf.h"

/*
 * Says a finding in words: what somebody waited for, and because of whom. Of one that hardly
 * waited, it says what else there is: whom it kept waiting, that its answers were slow, and what
 * was not measured.
 */
void finding_sentence(struct buf *out, const struct finding *finding);

#endif
