/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/times.h"

#include "bramble/growth.h"
#include "probe/internal.h"
#include "probe/sched.h"

/* The generation does not matter: a task that has moved since then is rare, and counted soon. */
static struct probe_times *times_of(const struct probe *probe, known_slot_t known,
				    struct probe_times *times)
{
	unsigned int slot = known & (SLOTS_MAX - 1);

	return known && slot < probe->slots ? &times[slot] : NULL;
}

/* The task that runs, and the wait that it had before. That is counted when it leaves the CPU. */
static void add_running(const struct probe *probe, const volatile struct sched_cpu *cpu,
			uint64_t now_ns, struct probe_times *times)
{
	uint64_t running = cpu->running, in_ns = cpu->in_ns, wait_ns = cpu->wait_ns;
	struct probe_times *to = times_of(probe, cpu->known_slot, times);

	if (!to || !running || running == cpu->idle || running != cpu->running)
		return;
	to->ns[TIME_RUNNING] += grown(now_ns, in_ns);
	if ((int64_t)wait_ns >= 0)
		to->ns[TIME_RUNNABLE] += wait_ns;
	else if (wait_ns - THROTTLED_WAIT < SINCE_THROTTLED / 2)
		to->ns[TIME_THROTTLED] += wait_ns - THROTTLED_WAIT;
}

static void add_waiting(const struct probe *probe, const volatile struct task_set *set,
			unsigned int way, uint64_t now_ns, struct probe_times *times)
{
	uint64_t since_ns = set->since_ns[way], key = set->key[way];
	known_slot_t known = set->known_slot[way];
	struct probe_times *to = times_of(probe, known ? known ^ key_mark(key) : 0, times);
	unsigned int cause = set->marks[way] >> TASK_CAUSE_SHIFT;
	uint64_t ns = grown(now_ns, since_ns & ~(SINCE_BLOCKED | SINCE_THROTTLED));

	if (!to || !since_ns || set->since_ns[way] != since_ns || set->key[way] != key)
		return;
	if (!(since_ns & SINCE_BLOCKED))
		to->ns[since_ns & SINCE_THROTTLED ? TIME_THROTTLED : TIME_RUNNABLE] += ns;
	else if (cause < BLOCKED_CAUSES)
		to->ns[TIME_BLOCKED + cause] += ns;
}

void probe_add_under_way(const struct probe *probe, uint64_t now_ns, struct probe_times *times)
{
	const struct sched_cpu *cpus = probe_sched_cpus(probe);
	const struct task_set *sets = probe_task_sets(probe);
	unsigned int i, way;

	for (i = 0; cpus && i < probe->cpus; i++)
		add_running(probe, &cpus[i], now_ns, times);
	for (i = 0; sets && i < TASK_SETS; i++)
		for (way = 0; way < TASK_WAYS; way++)
			add_waiting(probe, &sets[i], way, now_ns, times);
}

/*
 * Else a task that has slept for long would be taken for one that has left the cgroup that gets the
 * slot next. A program may just be writing another slot there.
 */
void probe_forget_freed(const struct probe *probe, struct task_set *sets)
{
	unsigned int i, way;

	for (i = 0; i < TASK_SETS; i++)
		for (way = 0; way < TASK_WAYS; way++) {
			known_slot_t *at = &sets[i].known_slot[way];
			known_slot_t known = __atomic_load_n(at, __ATOMIC_RELAXED);
			unsigned int slot = (known ^ key_mark(sets[i].key[way])) & (SLOTS_MAX - 1);

			if (known && probe_is_freed(probe, slot))
				__atomic_compare_exchange_n(at, &known, 0, false, __ATOMIC_RELAXED,
							    __ATOMIC_RELAXED);
		}
}
