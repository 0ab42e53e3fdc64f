/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What an owner has counted and no reader has seen yet. An owner's series may end before the next
 * reader comes: its place is needed, or it gets other labels. A reader keeps what it has seen of a
 * series. So only what it has not seen may go on under other labels, else it counts twice.
 *
 * Nothing is copied at a reading. What an owner counts after it is added in a second ledger, too,
 * which is freed at the next reading. It has the accounts that have grown.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_UNREAD_H
#define BRAMBLE_METRICS_UNREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/owners.h"

/*
 * Adds what a source has counted to an owner: ledger_add(). Returns what that does. Who adds to
 * the owner's ledger alone hides growth from the next reader.
 */
int owner_add(struct owner *owner, enum family_source source, ledger_labels labels, const void *now,
	      const void *before);

/* What no reader has seen: all that it has counted if none has seen any of it. */
const struct ledger *owner_unread(const struct owner *owner);

/* Whether readers have seen all. */
bool owner_was_read(const struct owner *owner);

/*
 * Another owner's counts were added to its ledger, and no reader has seen them under its labels.
 * Those that find no memory are missing if it ends unread.
 */
void unread_merge(struct owner *owner, const struct ledger *counts);

/* Notes that more was waited because of a cause. */
void unread_add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns);

/*
 * A reader has seen the owner's series: all that it has counted, but for waits whose cause has no
 * series yet.
 */
void unread_mark_read(struct owner *owner);

/* Frees what is noted. */
void unread_free(struct owner *owner);

/*
 * Leaves of an owner's counts only what no reader has seen. Its gauges stay. Returns how many
 * accounts had found no memory, and are lost.
 */
size_t unread_leave(struct owner *owner);

#endif
