/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: expose [CONTAINERS [ROUNDS]]
 *
 * What it takes to write a scrape, without the kernel and HTTP: CONTAINERS (250), every fifth of
 * them a unit, whose every counter and histogram of the table of families has counted, each
 * histogram in 40 buckets, and who waited because of 8 others. Prints the median CPU time of
 * ROUNDS (101) and the bytes for each format. Then that of a turn of the record for `bramble why`,
 * in which all of them have counted everything; of judging its last minute; and the memory of it.
 */
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diagnose/reading_scrape.h"
#include "diagnose/verdict.h"
#include "expose/expose.h"
#include "util/array.h"
#include "util/clock.h"

#define CAUSES	    8
#define HIST_FILLED 40

static struct owners owners;
static unsigned int turn;		      /* all have counted more in each */
static const struct wall wall = {.count = 1}; /* it reads as CLOCK_BOOTTIME does */

static void fill_hist(struct hist_total *hist, unsigned int seed)
{
	unsigned int i;

	hist->sum_ns = 123456789012345 + turn * NS_PER_S;
	for (i = 0; i < HIST_FILLED; i++)
		hist->bucket[20 + i] = (seed * 7919 + i * i * 104729) % 1000000 + 3 * turn;
}

static void fill(struct owner *owner, const struct family *family, unsigned int seed)
{
	static const char *const devices[] = {"mmcblk0", "sda"};
	static const char *const ops[] = {"read", "write"};
	const char *const *names = family_account_labels(family);
	bool of_disks = names[0] && names[1]; /* else it has one port, or no labels */
	size_t a, b, i;

	for (a = 0; a < (of_disks ? 2 : 1); a++) {
		for (b = 0; b < (of_disks ? 2 : 1); b++) {
			union ledger_word *account = ledger_get(&owner->ledger, family->source,
								LEDGER_LABELS(devices[a], ops[b]));

			for (i = 0; i < family_value_count(family); i++) {
				if (family->kind == KIND_HISTOGRAM)
					fill_hist(account_hist(account, family, i), seed);
				else
					*account_number(account, family, i) = 123456 + seed + turn;
			}
		}
	}
}

static void count_more(void)
{
	const struct family *family;
	struct owner *owner;
	unsigned int seed = 0;

	turn++;
	for (owner = owners.table; owner; owner = owner->hh.next, seed++)
		for (family = families; family < families + FAMILIES; family++)
			if (family_in_cells(family))
				fill(owner, family, seed);
}

static void fill_owners(unsigned int containers)
{
	struct owner **made = calloc(containers, sizeof(struct owner *));
	const struct family *family;
	unsigned int i, j;

	for (i = 0; i < containers; i++) {
		struct labels pod = {.name_space = "production", .container = "main"}, unit = {0};

		snprintf(pod.pod, sizeof(pod.pod), "service-%u-7d4b9c6f5-x2x8k", i);
		snprintf(unit.unit, sizeof(unit.unit), "system-%u.service", i);
		made[i] = owners_get(&owners, i % 5 == 4 ? &unit : &pod);
		for (family = families; family < families + FAMILIES; family++)
			if (family_begins_with_owner(family))
				fill(made[i], family, i);
	}
	for (i = 0; i < containers; i++)
		for (j = 1; j <= CAUSES; j++)
			owner_add_caused(made[i], made[(i + j * 17) % containers], 1234567890123);
	free(made);
}

/* The families of owners, as expose_write() would write them among all others. */
static struct family_filter owners_alone(void)
{
	struct family_filter filter = {.dropped = {false}};
	int i;

	for (i = 0; i < FAMILIES; i++)
		filter.dropped[i] =
			!family_begins_with_owner(&families[i]) && i != FAMILY_CPU_WAIT_CAUSED;
	return filter;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, const struct expose_options *options, unsigned int rounds)
{
	struct family_filter filter = owners_alone();
	struct scrape scrape = {.owners = &owners, .filter = &filter, .wall = &wall};
	uint64_t *ns = calloc(rounds, sizeof(*ns));
	struct buf out;
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < rounds; i++) {
		out = (struct buf){0};
		ns[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		buf_reserve(&out, len + len / 16);
		expose_write(&out, options, &scrape);
		ns[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - ns[i];
		len = out.len;
		buf_free(&out);
	}
	qsort(ns, rounds, sizeof(*ns), by_value);
	printf("| %s%s | %.2f | %zu |\n", name, options->gzip ? ", gzipped" : "",
	       (double)ns[rounds / 2] / 1e6, len);
	free(ns);
}

static struct record *record;
static struct reading before;

/* Without the reading of the kernel's counts, which a scrape has, too. */
static void take_turn(void)
{
	static const struct machine machine;
	const struct scrape scrape = {.owners = &owners, .wall = &wall, .started_ns = 1};
	struct growers growers;
	struct reading now;
	struct rows rows;

	if (reading_of_scrape(&now, &scrape, (1000 + 10 * (uint64_t)turn) * NS_PER_S))
		exit(1);
	if (before.count && !rows_make(&before, &now, ROW_LEVEL_CONTAINER, &rows)) {
		growers_find(&before, &now, &growers);
		record_add(record, &rows, &(struct record_surroundings){&machine, &growers, NAN});
		rows_free(&rows);
	}
	reading_free(&before);
	before = now;
}

static void judge(void)
{
	struct verdicts verdicts;

	if (verdicts_find(record, 60, NULL, &verdicts))
		exit(1);
	verdicts_free(&verdicts);
}

static double median_of(void (*work)(void), void (*prepare)(void), unsigned int rounds)
{
	uint64_t *ns = calloc(rounds, sizeof(*ns)), median;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		if (prepare)
			prepare();
		ns[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		work();
		ns[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - ns[i];
	}
	qsort(ns, rounds, sizeof(*ns), by_value);
	median = ns[rounds / 2];
	free(ns);
	return (double)median / 1e6;
}

static void measure_record(unsigned int rounds)
{
	size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;

	record = record_new();
	if (!record)
		exit(1);
	puts("\n| the record | CPU ms |\n|---|---|");
	printf("| a turn | %.2f |\n", median_of(take_turn, count_more, rounds));
	printf("| judging a minute | %.2f |\n", median_of(judge, NULL, rounds));
	printf("\nits memory, with the reading before: %zu bytes\n",
	       mallinfo2().uordblks + mallinfo2().hblkhd - used);
	record_free(record);
	reading_free(&before);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		struct expose_options options;
	} formats[] = {
		{"text 0.0.4", {.accepted = {.format = FORMAT_TEXT}}},
		{"OpenMetrics", {.accepted = {.format = FORMAT_OPENMETRICS}}},
		{"OpenMetrics, _created",
		 {.accepted = {.format = FORMAT_OPENMETRICS}, .created = true}},
		{"protobuf, native",
		 {.accepted = {.format = FORMAT_PROTOBUF}, .forms = HIST_NATIVE}},
		{"protobuf, both", {.accepted = {.format = FORMAT_PROTOBUF}, .forms = HIST_BOTH}},
	};
	unsigned int containers = argc > 1 ? (unsigned int)atoi(argv[1]) : 250;
	unsigned int rounds = argc > 2 ? (unsigned int)atoi(argv[2]) : 101;
	struct expose_options options;
	size_t i, gzip;

	fill_owners(containers);
	puts("| format | CPU ms | bytes |\n|---|---|---|");
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		for (gzip = 0; gzip < 2; gzip++) {
			options = formats[i].options;
			options.gzip = gzip;
			measure(formats[i].name, &options, rounds);
		}
	}
	measure_record(rounds);
	owners_free(&owners);
	return 0;
}
