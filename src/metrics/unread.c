/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/unread.h"

/* Notes growth. If it finds no memory, it is missing if the owner ends before it was read. */
static void note(struct owner *owner, enum family_source source, ledger_labels labels,
		 const void *now, const void *before)
{
	owner->unread_lost += ledger_add(&owner->unread, source, labels, now, before) < 0;
}

int owner_add(struct owner *owner, enum family_source source, ledger_labels labels, const void *now,
	      const void *before)
{
	int lower = ledger_add(&owner->ledger, source, labels, now, before);

	if (lower >= 0 && owner->read)
		note(owner, source, labels, now, before);
	return lower;
}

void unread_add_caused(struct owner *owner, const struct owner *cause, uint64_t wait_ns)
{
	if (wait_ns && owner->read)
		note(owner, SOURCE_CAUSED, LEDGER_LABELS(cause), &wait_ns, NULL);
}

const struct ledger *owner_unread(const struct owner *owner)
{
	return owner->read ? &owner->unread : &owner->ledger;
}

bool owner_was_read(const struct owner *owner)
{
	return !ledger_has_counted(owner_unread(owner));
}

void unread_merge(struct owner *owner, const struct ledger *counts)
{
	if (owner->read)
		owner->unread_lost += ledger_merge(&owner->unread, counts, LEDGER_COUNTERS, NULL);
}

void unread_free(struct owner *owner)
{
	ledger_free(&owner->unread);
	owner->unread_lost = 0;
}

/* Waits for a cause that is held back are not shown before it is. */
static void note_held(void *context, const struct ledger_value *value)
{
	if (value->cause->held)
		unread_add_caused(context, value->cause, value->number);
}

void unread_mark_read(struct owner *owner)
{
	owner->read = true;
	unread_free(owner);
	ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], note_held, owner);
}

size_t unread_leave(struct owner *owner)
{
	size_t lost = owner->unread_lost;

	if (!owner->read)
		return 0;
	ledger_set_counters(&owner->ledger, &owner->unread);
	unread_free(owner);
	owner->read = false;
	return lost;
}
