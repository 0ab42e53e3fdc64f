/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/growers.h"

#include "diagnose/levels.h"

static double memory_of(const struct reading_entry *entry)
{
	return entry ? entry->value[SIGNAL_WORKING_SET] : 0;
}

/* Puts it where it belongs among those that grew more, and drops the least. */
static void insert(struct growers *out, const struct reading_entry *entry, double bytes)
{
	size_t i = out->count < GROWERS_MAX ? out->count++ : GROWERS_MAX - 1;

	for (; i > 0 && out->list[i - 1].bytes < bytes; i--)
		out->list[i] = out->list[i - 1];
	out->list[i].labels = entry->labels;
	out->list[i].bytes = bytes;
	row_name_write(out->list[i].name, &entry->labels, ROW_LEVEL_CONTAINER);
}

void growers_find(const struct reading *before, const struct reading *now, struct growers *out)
{
	size_t i;

	out->count = 0;
	for (i = 0; i < now->count; i++) {
		const struct reading_entry *entry = &now->entries[i];
		const struct reading_entry *earlier;
		double bytes;

		if (!entry->value_known[SIGNAL_WORKING_SET])
			continue;
		earlier = reading_find(before, entry->id, &entry->labels);
		/* Of one that was there before, and whose memory was not known, nobody can tell. */
		if (earlier ? !earlier->value_known[SIGNAL_WORKING_SET]
			    : !(entry->since_seconds > before->time_seconds))
			continue;
		bytes = memory_of(entry) - memory_of(earlier);
		if (bytes >= LEVEL_GROWTH &&
		    (out->count < GROWERS_MAX || bytes > out->list[GROWERS_MAX - 1].bytes))
			insert(out, entry, bytes);
	}
}
