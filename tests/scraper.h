/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A scraper that adds up what all series gain, as Prometheus does: a series that vanishes keeps
 * what it had, and one that falls begins anew. Of owners it reads the voluntary switches, and the
 * waits that others caused.
 */
#ifndef BRAMBLE_TEST_SCRAPER_H
#define BRAMBLE_TEST_SCRAPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/owners.h"

#define SCRAPER_SERIES 16384

struct scraper_series {
	struct labels owner, cause; /* no cause: switches */
	uint64_t last;
	unsigned int scrape; /* that had it last */
};

struct scraper {
	struct scraper_series series[SCRAPER_SERIES];
	size_t count;
	unsigned int scrapes;
	uint64_t switches, waited_ns; /* in all */
	unsigned int fell;	      /* series that were lower than in the scrape before */
	const struct owner *owner;    /* that is read */
	uint64_t other_ns;	      /* that it waited for causes without series */
};

static inline struct scraper_series *scraper_find(struct scraper *scraper,
						  const struct labels *cause)
{
	struct scraper_series *series = scraper->series;

	for (; series < scraper->series + scraper->count; series++)
		if (!memcmp(&series->owner, &scraper->owner->labels, sizeof(series->owner)) &&
		    !memcmp(&series->cause, cause, sizeof(*cause)))
			return series;
	assert_true(scraper->count < SCRAPER_SERIES);
	scraper->count++;
	*series = (struct scraper_series){.owner = scraper->owner->labels, .cause = *cause};
	return series;
}

static inline void scraper_take(struct scraper *scraper, const struct labels *cause, uint64_t value,
				uint64_t *sum)
{
	struct scraper_series *series = scraper_find(scraper, cause);

	scraper->fell += value < series->last && series->scrape + 1 == scraper->scrapes;
	*sum += value < series->last ? value : value - series->last;
	series->last = value;
	series->scrape = scraper->scrapes;
}

static inline void scraper_on_switches(void *context, const struct ledger_value *value)
{
	static const struct labels none;
	struct scraper *scraper = context;

	if (value->counted && value->index == SWITCH_VOLUNTARY)
		scraper_take(scraper, &none, value->number, &scraper->switches);
}

/* As the exposition shows causes. */
static inline void scraper_on_wait(void *context, const struct ledger_value *value)
{
	struct scraper *scraper = context;

	if (!value->counted || value->cause->held)
		return;
	if (value->cause->summed)
		scraper->other_ns += value->number;
	else
		scraper_take(scraper, &value->cause->labels, value->number, &scraper->waited_ns);
}

static inline void scraper_read(struct scraper *scraper, const struct owners *owners)
{
	const struct owner *owner;

	scraper->scrapes++;
	for (owner = owners->table; owner; owner = owner->hh.next) {
		if (!owner_has_series(owner))
			continue;
		scraper->owner = owner;
		scraper->other_ns = 0;
		ledger_visit(&owner->ledger, &families[FAMILY_CPU_SWITCHES], scraper_on_switches,
			     scraper);
		ledger_visit(&owner->ledger, &families[FAMILY_CPU_WAIT_CAUSED], scraper_on_wait,
			     scraper);
		if (scraper->other_ns)
			scraper_take(scraper, &owner_other.labels, scraper->other_ns,
				     &scraper->waited_ns);
	}
}

#endif
