/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A reading of the owners that a probe of this program counts for, without a text in between. */
#ifndef BRAMBLE_READING_SCRAPE_H
#define BRAMBLE_READING_SCRAPE_H

#include "diagnose/reading.h"
#include "metrics/scrape.h"

/*
 * Makes the reading that reading_parse() makes of json_containers(scrape, time_ns). It copies what
 * it needs, so that neither the scrape nor its owners must outlive it. Returns 0 or -ENOMEM; in
 * both cases the caller gives the reading to reading_free().
 */
int reading_of_scrape(struct reading *reading, const struct scrape *scrape, uint64_t time_ns);

#endif
