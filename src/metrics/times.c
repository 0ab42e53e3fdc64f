/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/times.h"

#include "metrics/owners.h"
#include "metrics/unread.h"

void times_add(struct task_times *times, const struct probe_times *now,
	       const struct probe_times *before)
{
	int i;

	for (i = 0; i < TIME_SLEEP; i++)
		times->sum.ns[i] += now->ns[i] - before->ns[i];
	times->sum.tasks += now->tasks - before->tasks;
	times->sum.at_ns += now->at_ns - before->at_ns;
	times->sum.changes += now->changes - before->changes;
}

void times_merge(struct task_times *to, const struct task_times *from)
{
	static const struct probe_times none;
	int i;

	times_add(to, &from->sum, &none);
	for (i = 0; i < TIME_SLEEP; i++)
		to->under_way[i] += from->under_way[i];
	for (i = 0; i < TIME_STATES; i++)
		to->shown[i] += from->shown[i];
	to->counted = to->counted && from->counted;
	to->headcount = (struct headcount_of){0};
}

/* All states at a time. Sleep may be below zero by what a reading has caught twice. */
static void read_states(const struct task_times *times, uint64_t now_ns,
			uint64_t states[TIME_STATES])
{
	uint64_t lived_ns = times->sum.tasks * now_ns - times->sum.at_ns;
	int i;

	for (i = 0; i < TIME_SLEEP; i++) {
		states[i] = times->sum.ns[i] + times->under_way[i];
		lived_ns -= states[i];
	}
	states[TIME_SLEEP] = lived_ns;
}

void times_add_tasks(struct task_times *times, uint64_t at_ns, int64_t tasks)
{
	times->sum.tasks += (uint64_t)tasks;
	times->sum.at_ns += (uint64_t)tasks * at_ns;
}

void times_begin(struct task_times *times, uint64_t now_ns)
{
	read_states(times, now_ns, times->shown);
	times->counted = true;
}

bool times_show(struct owner *owner, uint64_t now_ns)
{
	struct task_times *times = &owner->times;
	uint64_t states[TIME_STATES], grown_ns[TIME_STATES];
	int i;

	if (!times->counted)
		return true;
	read_states(times, now_ns, states);
	for (i = 0; i < TIME_STATES; i++)
		grown_ns[i] = (int64_t)(states[i] - times->shown[i]) > 0
				      ? states[i] - times->shown[i]
				      : 0;
	if (owner_add(owner, SOURCE_TIMES, NULL, grown_ns, NULL) < 0)
		return false;
	for (i = 0; i < TIME_STATES; i++)
		times->shown[i] += grown_ns[i];
	return true;
}
