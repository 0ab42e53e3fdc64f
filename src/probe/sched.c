/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The sched probe: waits for a CPU, and who caused them. */
#include "probe/sched.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/features.h"
#include "probe/descriptor.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/roots.h"
#include "probe/times.h"
#include "util/array.h"

#include "bramble.skel.h"

struct sched_probe {
	enum sched_hooks hooks;
	struct sched_cpu *cpus;
	struct task_set *sets;

	/* One read of the map of pairs. */
	struct wait_pair *pair;
	uint64_t *pair_ns;
	unsigned int pairs_max;
};

enum need {
	NEED_PREV_STATE = 1 << 0, /* the raw tracepoint sched_switch passes prev_state */
	NEED_NO_PREV_STATE = 1 << 1,
};

#define REMEDY "use a kernel with CONFIG_TRACEPOINTS"

static const struct program_row programs[] = {
	{"sched_cgroup_attach", .event = "cgroup/cgroup_attach_task",
	 .purpose = "run-queue wait of tasks that are moved to another cgroup",
	 .remedy = "use a kernel with CONFIG_CGROUPS and CONFIG_TRACEPOINTS"},
	{"sched_wakeup", .event = "sched/sched_wakeup", .needs = NEED_PREV_STATE,
	 .purpose = "run-queue wait", .remedy = REMEDY},
	{"sched_wakeup_new", .event = "sched/sched_wakeup_new", .needs = NEED_PREV_STATE,
	 .purpose = "run-queue wait of new tasks", .remedy = REMEDY},
	{"sched_switch", .event = "sched/sched_switch", .needs = NEED_PREV_STATE,
	 .purpose = "run-queue wait", .remedy = REMEDY},
	{"sched_wakeup_classic", .event = "sched/sched_wakeup", .needs = NEED_NO_PREV_STATE},
	{"sched_wakeup_new_classic", .event = "sched/sched_wakeup_new",
	 .needs = NEED_NO_PREV_STATE},
	{"sched_switch_classic", .event = "sched/sched_switch", .needs = NEED_NO_PREV_STATE},
};

/* The records that the programs read. */
static const struct tracefs_record records[] = {
	{"sched/sched_switch", "trace_event_raw_sched_switch"},
	{"sched/sched_wakeup", "trace_event_raw_sched_wakeup_template"},
};

static const struct cell_private privates[] = {
	{"ran_ns", "pressure", false},
	{"waiting", "pressure", false},
	{"waiting_from_ns", "kept by the BPF side for waiting", false},
	{"preempted", "kept by the BPF side for waiting", false},
	{"added", "kept by the BPF side for waiting", false},
	{"throttled_ns", "task seconds: times.h", false},
	{"lives", "task seconds: times.h", false},
	{"caused_other_ns", "waits caused by the unit \"other\"", true},
	{"caused_other", "the loss cause_pairs_full", true},
};

static const char *const losses[SCHED_LOST_REASONS] = {
	[SCHED_LOST_NO_WAKEUP] = "no_wakeup",
	[SCHED_LOST_NO_SWITCH] = "no_switch",
	[SCHED_LOST_COLLISION] = "collision",
	[SCHED_LOST_CLOCK] = "clock",
};

static struct sched_probe *state_of(const struct probe *probe)
{
	return probe->state[PROBE_SCHED];
}

static unsigned int holds(struct probe *probe, const struct probe_options *options)
{
	struct sched_probe *state = state_of(probe);

	state->hooks = options->hooks;
	if (state->hooks == SCHED_HOOKS_AUTO)
		state->hooks = feature_prev_state() > 0 ? SCHED_HOOKS_RAW : SCHED_HOOKS_CLASSIC;
	return state->hooks == SCHED_HOOKS_RAW ? NEED_PREV_STATE : NEED_NO_PREV_STATE;
}

static int size(struct probe *probe)
{
	return bpf_map__set_max_entries(probe->bpf->maps.sched_cpus, probe->cpus);
}

static int open_state(struct probe *probe)
{
	struct sched_probe *state = state_of(probe);
	unsigned int cpu;

	state->cpus = probe_map_array(probe->bpf->maps.sched_cpus);
	for (cpu = 0; state->cpus && cpu < probe->cpus; cpu++)
		state->cpus[cpu].first_cell = cpu * probe->slots;
	state->sets = probe_map_array(probe->bpf->maps.task_sets);
	state->pairs_max = bpf_map__max_entries(probe->bpf->maps.wait_pairs);
	state->pair = calloc(state->pairs_max, sizeof(*state->pair));
	state->pair_ns = calloc(state->pairs_max, sizeof(*state->pair_ns));
	return state->cpus && state->sets && state->pair && state->pair_ns ? 0 : -ENOMEM;
}

static void close_state(struct probe *probe)
{
	struct sched_probe *state = state_of(probe);

	probe_unmap_array(probe->bpf->maps.sched_cpus, state->cpus);
	probe_unmap_array(probe->bpf->maps.task_sets, state->sets);
	free(state->pair);
	free(state->pair_ns);
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		sum += state_of(probe)->cpus[cpu].lost[loss];
	return sum;
}

static uint64_t events(const struct probe *probe)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		sum += state_of(probe)->cpus[cpu].events;
	return sum;
}

static const char *attribution(const struct probe *probe)
{
	return state_of(probe)->hooks == SCHED_HOOKS_RAW ? "current_task" : "current_task_by_id";
}

static void add_pressure(const volatile void *data, struct probe_pressure *pressure)
{
	const volatile struct sched_cell *cell = data;

	pressure->some_ns[PRESSURE_CPU] += cell->waiting.covered_ns;
	pressure->needed_ns += cell->ran_ns;
}

static bool add_times(const volatile void *data, struct probe_times *times)
{
	const volatile struct sched_cell *cell = data;
	uint32_t done = __atomic_load_n(&cell->lives.done, __ATOMIC_ACQUIRE);
	uint64_t waited_ns = cell->wait.sum_ns, throttled_ns = cell->throttled_ns;

	times->changes += done;
	times->tasks += cell->lives.tasks;
	times->at_ns += cell->lives.at_ns;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	times->ns[TIME_RUNNING] += cell->ran_ns;
	times->ns[TIME_THROTTLED] += throttled_ns;
	times->ns[TIME_RUNNABLE] += waited_ns - throttled_ns;
	return cell->lives.begun == done;
}

const struct sched_cpu *probe_sched_cpus(const struct probe *probe)
{
	return probe->enabled[PROBE_SCHED] ? state_of(probe)->cpus : NULL;
}

const struct task_set *probe_task_sets(const struct probe *probe)
{
	return probe->enabled[PROBE_SCHED] ? state_of(probe)->sets : NULL;
}

/* Reads the map of pairs into the state. Returns how many, or a negative errno. */
static int read_pairs(struct probe *probe)
{
	struct sched_probe *state = state_of(probe);
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	uint32_t position = 0, count = state->pairs_max;

	if (bpf_map_lookup_batch(fd, NULL, &position, state->pair, state->pair_ns, &count, NULL) &&
	    errno != ENOENT)
		return -errno;
	return (int)count;
}

int probe_read_pairs(struct probe *probe, probe_pair_fn each, void *context)
{
	const struct sched_probe *state = state_of(probe);
	int i, count = probe->enabled[PROBE_SCHED] ? read_pairs(probe) : 0;

	for (i = 0; i < count; i++)
		each(context, state->pair[i], state->pair_ns[i]);
	return count < 0 ? count : 0;
}

/* Counts a pair in the quota of its victim's pod or unit. */
static void count_pair(struct probe *probe, struct wait_pair pair)
{
	uint32_t group = pair_group(probe_slot_group(probe, pair.victim));

	__atomic_add_fetch(&probe->bpf->bss->pairs_of_group[group], 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&probe->bpf->bss->pairs_used, 1, __ATOMIC_RELAXED);
}

static int delete_pair(int fd, const struct wait_pair *pair)
{
	return bpf_map_delete_elem(fd, pair) && errno != ENOENT ? -errno : 0;
}

/* Deletes the pairs of slots that are freed, and counts those that stay. */
static int free_slots(struct probe *probe)
{
	const struct sched_probe *state = state_of(probe);
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	int i, count = read_pairs(probe), err = 0;

	if (count < 0)
		return count;
	probe_forget_freed(probe, state->sets);
	/* A pair that is added meanwhile may not be counted, until the next time. */
	memset(probe->bpf->bss->pairs_of_group, 0, sizeof(probe->bpf->bss->pairs_of_group));
	probe->bpf->bss->pairs_used = 0;
	for (i = 0; i < count; i++)
		if (probe_is_freed(probe, state->pair[i].victim) ||
		    probe_is_freed(probe, state->pair[i].cause))
			err = delete_pair(fd, &state->pair[i]) ?: err;
		else if (state->pair[i].victim < probe->slots)
			count_pair(probe, state->pair[i]);
	return err;
}

/*
 * A CPU keeps the slot that caused the wait of the task that it runs, and counts the wait when it
 * is switched out. The idle task waits for nobody.
 */
static bool uses_slot(const struct probe *probe, unsigned int slot)
{
	const volatile struct sched_cpu *cpus = state_of(probe)->cpus;
	unsigned int cpu;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		if (cpus[cpu].cause == slot && cpus[cpu].running != cpus[cpu].idle)
			return true;
	return false;
}

const struct probe_descriptor probe_sched = {
	.flag_help = "Measure waits for a CPU.",
	.flag_rank = 1,
	.essential = true,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(sched_cell), .per_cpu = true, .privates = privates,
		  .private_count = ARRAY_SIZE(privates)},
	.maps = {"wait_pairs"},
	.records = records,
	.record_count = ARRAY_SIZE(records),
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.attribution = attribution,
	.state_size = sizeof(struct sched_probe),
	.holds = holds,
	.size = size,
	.open = open_state,
	.add_pressure = add_pressure,
	.add_times = add_times,
	.uses_slot = uses_slot,
	.free_slots = free_slots,
	.close = close_state,
};
