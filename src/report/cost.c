/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/cost.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/probe.h"
#include "report/floor.h"
#include "report/pair.h"
#include "util/clock.h"
#include "util/quantile.h"

#define ROUNDS_MIN 3
#define ROUNDS_MAX 15
#define BATCHES	   11
#define BATCH_NS   UINT64_C(8000000) /* how long a batch takes, about */

struct bench {
	enum cost_of what;
	struct pair pair;
	unsigned int turns; /* of a batch */
	struct probe_options options;
	struct floor_hooks hooks;
	double without[ROUNDS_MAX], floor[ROUNDS_MAX], bramble[ROUNDS_MAX];
	int rounds;
};

/* Nanoseconds for one turn there and back. */
static int time_turns(const struct bench *bench, unsigned int turns, double *ns)
{
	uint64_t start_ns = clock_monotonic_ns();
	int err = pair_turns(&bench->pair, turns);

	*ns = (double)(clock_monotonic_ns() - start_ns) / turns;
	return err;
}

/* The median of many short batches: what disturbs one of them does not count. */
static int measure(const struct bench *bench, double *ns)
{
	double batch[BATCHES];
	int i, err = time_turns(bench, bench->turns, &batch[0]); /* warms up */

	for (i = 0; i < BATCHES && !err; i++)
		err = time_turns(bench, bench->turns, &batch[i]);
	*ns = quantile(batch, BATCHES, 0.5);
	/* A pass through a pipe is one switch there, and one back. */
	if (bench->what == COST_SWITCH)
		*ns /= 2;
	return err;
}

static int choose_turns(struct bench *bench)
{
	double ns;
	int err = time_turns(bench, 200, &ns) ?: time_turns(bench, 200, &ns);

	bench->turns = (unsigned int)((double)BATCH_NS / ns) + 1;
	return err;
}

static int measure_floor(const struct bench *bench, double *ns)
{
	struct floor *floor;
	int err = floor_open(&bench->options, &bench->hooks, FLOOR_CLOCK, &floor);

	if (err)
		return err;
	err = measure(bench, ns);
	floor_close(floor);
	return err;
}

static int measure_probe(const struct bench *bench, double *ns)
{
	struct probe *probe;
	int err = probe_open(&bench->options, &probe);

	if (err)
		return err;
	err = measure(bench, ns);
	probe_close(probe);
	return err;
}

/* Machines drift. So what is added is the difference to what was measured just before and after. */
static int run_round(struct bench *bench)
{
	double before = 0, between = 0, after = 0, floor = 0, probe = 0;
	bool floor_first = bench->rounds % 2 == 0;
	int err = measure(bench, &before);

	err = err ?: (floor_first ? measure_floor(bench, &floor) : measure_probe(bench, &probe));
	err = err ?: measure(bench, &between);
	err = err ?: (floor_first ? measure_probe(bench, &probe) : measure_floor(bench, &floor));
	err = err ?: measure(bench, &after);
	if (err)
		return err;
	bench->without[bench->rounds] = between;
	bench->floor[bench->rounds] = floor - (between + (floor_first ? before : after)) / 2;
	bench->bramble[bench->rounds] = probe - (between + (floor_first ? after : before)) / 2;
	bench->rounds++;
	return 0;
}

static int run_rounds(struct bench *bench, uint64_t until_ns)
{
	uint64_t took_ns = 0, start_ns;
	int err = 0;

	while (!err && bench->rounds < ROUNDS_MAX) {
		start_ns = clock_monotonic_ns();
		if (bench->rounds >= ROUNDS_MIN && start_ns + took_ns > until_ns)
			break;
		err = run_round(bench);
		took_ns = clock_monotonic_ns() - start_ns;
	}
	return err;
}

static void sum_up(struct bench *bench, struct cost *cost)
{
	int n = bench->rounds;

	cost->rounds = n;
	cost->without = quantile(bench->without, n, 0.5);
	cost->floor = quantile(bench->floor, n, 0.5);
	cost->floor_low = quantile(bench->floor, n, 0.25);
	cost->floor_high = quantile(bench->floor, n, 0.75);
	cost->bramble = quantile(bench->bramble, n, 0.5);
	cost->bramble_low = quantile(bench->bramble, n, 0.25);
	cost->bramble_high = quantile(bench->bramble, n, 0.75);
}

bool cost_is_steady(const struct cost *cost)
{
	return cost->floor_low > 0 && cost->bramble_low > 0;
}

static int open_pair(struct bench *bench)
{
	return bench->what == COST_SWITCH ? pair_open_pipes(&bench->pair)
					  : pair_open_tcp(&bench->pair, 0);
}

/* This process and its children on one CPU, and nothing else on it, if that is allowed. */
static bool take_cpu(cpu_set_t *before)
{
	const struct sched_param first = {.sched_priority = 1};
	cpu_set_t one;

	sched_getaffinity(0, sizeof(*before), before);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	return !sched_setscheduler(0, SCHED_FIFO, &first);
}

static void give_cpu(const cpu_set_t *before)
{
	const struct sched_param normal = {0};

	sched_setscheduler(0, SCHED_OTHER, &normal);
	sched_setaffinity(0, sizeof(*before), before);
}

int cost_measure(enum cost_of what, const struct probe_options *options, uint64_t until_ns,
		 struct cost *cost)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	cpu_set_t cpus;
	int err;

	*cost = (struct cost){0};
	if (!bench)
		return -ENOMEM;
	bench->what = what;
	bench->options = *options;
	memset(bench->options.enabled, 0, sizeof(bench->options.enabled));
	bench->options.enabled[what == COST_SWITCH ? PROBE_SCHED : PROBE_TCP] = true;
	err = floor_find_hooks(&bench->options, &bench->hooks);
	if (!err) {
		cost->alone = take_cpu(&cpus);
		err = open_pair(bench);
		if (!err) {
			err = choose_turns(bench) ?: run_rounds(bench, until_ns);
			pair_close(&bench->pair);
		}
		give_cpu(&cpus);
	}
	if (!err)
		sum_up(bench, cost);
	free(bench);
	return err;
}
