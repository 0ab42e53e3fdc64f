/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_SENTENCE_H
#define BRAMBLE_SENTENCE_H

#include "diagnose/rows.h"
#include "util/buf.h"

/*
 * Says in words what a row waited for, and because of whom; of one that hardly
 * waited, what else there is to say: whom it kept waiting, that its answers were slow, and what was
 * not measured.
 */
void sentence_write(struct buf *out, const struct rows *rows, const struct row *row);

#endif
