/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Made-up events of the scheduler, and what the sched programs know of tasks then. */
#ifndef BRAMBLE_SCHED_EVENTS_H
#define BRAMBLE_SCHED_EVENTS_H

#include "test_run.h"

/* Task keys: any numbers that are not addresses of tasks. */
#define A	       0x1001ULL
#define B	       0x1002ULL
#define C	       0x1003ULL
#define IDLE	       0x1fffULL

#define RUNNING_STATE  0
#define SLEEPING_STATE 1

/* Loads the opened object with the sched programs. Returns 0 or a negative errno. */
static inline int load_sched_object(void)
{
	int err;

	bpf_program__set_autoload(bpf->progs.sched_wakeup, true);
	bpf_program__set_autoload(bpf->progs.sched_wakeup_new, true);
	bpf_program__set_autoload(bpf->progs.sched_switch, true);
	bpf_program__set_autoload(bpf->progs.sched_cgroup_attach, true);
	err = bpf_map__set_max_entries(bpf->maps.sched_cells,
				       slots * (unsigned int)libbpf_num_possible_cpus());
	return err ?: load_object();
}

static inline void wakeup(uint64_t task)
{
	run(bpf->progs.sched_wakeup, task);
}

static inline void wakeup_new(uint64_t task)
{
	run(bpf->progs.sched_wakeup_new, task);
}

/* next takes the CPU from prev, which sleeps from now on. */
static inline void sleep_and_switch(uint64_t prev, uint64_t next)
{
	run(bpf->progs.sched_switch, false, prev, next, SLEEPING_STATE);
}

/* next takes the CPU from prev, which could still run. */
static inline void preempt_and_switch(uint64_t prev, uint64_t next)
{
	run(bpf->progs.sched_switch, true, prev, next, RUNNING_STATE);
}

static inline uint64_t lost(enum sched_lost reason)
{
	return sched_cpus[cpu].lost[reason];
}

/* Reads, and perhaps changes, what is known of a task. */
static inline void get_task(uint64_t key, struct task_set *set, uint32_t *way)
{
	uint32_t index = (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> (64 - TASK_SET_BITS));

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.task_sets), &index, set), 0);
	for (*way = 0; *way < TASK_WAYS; (*way)++)
		if (set->key[*way] == key)
			break;
}

static inline uint64_t since(uint64_t key)
{
	struct task_set set;
	uint32_t way;

	get_task(key, &set, &way);
	return way < TASK_WAYS ? set.since_ns[way] : 0;
}

/* Sets the time since when a known task waits. */
static inline void set_since(uint64_t key, uint64_t since_ns)
{
	uint32_t index = (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> (64 - TASK_SET_BITS));
	struct task_set set;
	uint32_t way;

	get_task(key, &set, &way);
	assert_true(way < TASK_WAYS);
	set.since_ns[way] = since_ns;
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bpf->maps.task_sets), &index, &set, BPF_ANY), 0);
}

/* Finds count keys that belong to one set of the tasks. */
static inline void find_colliding(uint64_t *keys, size_t count)
{
	uint64_t key = 0xffff888000000000ULL, first;
	size_t found = 0;

	first = (key * 0x9e3779b97f4a7c15ULL) >> (64 - TASK_SET_BITS);
	for (; found < count; key += 64)
		if ((key * 0x9e3779b97f4a7c15ULL) >> (64 - TASK_SET_BITS) == first)
			keys[found++] = key;
}

#endif
