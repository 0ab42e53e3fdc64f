/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Everything that the samples of one scrape come from. It points to what the collector keeps.
 * Nothing of it changes while samples are emitted. So an emitter needs no collector.
 */
#ifndef BRAMBLE_SCRAPE_H
#define BRAMBLE_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/filter.h"
#include "metrics/lost_shares.h"
#include "metrics/owners.h"
#include "metrics/self.h"
#include "probe/books.h"
#include "util/wall.h"

struct collector;
struct sandbox;
struct workloads;

/* Time spent on scrapes so far. */
struct scrape_times {
	uint64_t count;
	uint64_t sum_ns;
};

/* More reasons than all probes and the collector have together. */
#define LOST_MAX (PROBE_LOST_MAX + PROBES + 8)

/* What the probes and the collector count about themselves. */
struct books {
	struct {
		const char *attribution; /* static */
		uint64_t events;
		uint64_t cpu_ns;
		bool cpu_known;
	} probe[PROBES]; /* zeros for a probe that is not up */
	struct probe_lost lost[LOST_MAX];
	size_t lost_count;
	unsigned int slots_used, slots_free; /* without the overflow slot */
};

struct scrape {
	const struct owners *owners;	    /* those that are summed are not to be emitted */
	struct owner *sum;		    /* of them; NULL: there are none */
	const struct family_filter *filter; /* NULL: all families */
	const struct members *members;
	const struct kube_names *names;
	const struct workloads *workloads; /* for the API and for readings; NULL: not asked for */
	const struct kubelet_status *kubelet; /* NULL: the kubelet is not asked */
	size_t kubelet_pods;		      /* that it listed */
	const struct node *node;
	unsigned int cpus;	 /* online; 0: not known */
	const struct wall *wall; /* shows times that are kept as CLOCK_BOOTTIME */
	uint64_t started_ns;	 /* CLOCK_MONOTONIC, since when it is counted; 0: not known */
	bool probe_up[PROBES];
	const struct books *books;	  /* NULL: not read */
	const struct scrape_times *times; /* NULL: not known */
	const struct refusals *refusals;  /* NULL: nobody is served */
	const struct sandbox *sandbox;	  /* NULL: not known */
	const struct lost_shares *lost;	  /* NULL: nobody judges */
	struct self self;
};

/*
 * Everything that a collector knows, as of its last update. Not included are the sum of owners, the
 * books, and what this program knows about itself, which take time to make. The collector must
 * outlive it.
 */
void scrape_of(const struct collector *collector, struct scrape *scrape);

/* Reads the books. Asks the kernel about each BPF program. */
void books_read(const struct collector *collector, struct books *books);

#endif
